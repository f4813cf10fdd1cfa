/** What is done to the managers, one fault in each round. Each leaves everything mended and every manager running. */
import { shuffled, type Random } from '../../src/common/random.ts';
import { pause, until, type Arena } from './arena.ts';
import type { Host } from './host.ts';

export interface Fault {
  readonly name: string;
  /** Resolves with what was done, for the story of the run. */
  readonly strike: (arena: Arena, random: Random) => Promise<string>;
  readonly least?: number;
}

/** Longer than an election takes. */
const HOLD_MS = { least: 1_500, spread: 1_500 };
const DISK_PATIENCE_MS = 60_000;
/** Together more than the log has reserved; base64. */
const BALLAST = 'A'.repeat(600_000);

const hold = (random: Random): Promise<void> => pause(HOLD_MS.least + random() * HOLD_MS.spread);
const some = (hosts: readonly Host[], random: Random): Host => hosts[Math.floor(random() * hosts.length)] as Host;
const minority = (hosts: readonly Host[]): number => Math.floor((hosts.length - 1) / 2);
const names = (hosts: readonly Host[]): string => hosts.map(({ name }) => name).join(' ');

export const FAULTS: readonly Fault[] = [
  { name: 'kill -9 of the leader', strike: async (arena) => restarted([await arena.leader()]) },
  {
    name: 'kill -9 of a follower',
    strike: async (arena, random) => restarted([some(await arena.followers(), random)]),
  },
  {
    name: 'kill -9 of as many as the group can lose, the leader among them',
    least: 5,
    strike: async (arena, random) => {
      const others = shuffled(await arena.followers(), random).slice(0, minority(arena.managers) - 1);
      return restarted([await arena.leader(), ...others]);
    },
  },
  { name: 'kill -9 of all managers at once', strike: (arena) => restarted(arena.managers) },
  {
    name: 'the leader frozen and let go (SIGSTOP, SIGCONT)',
    strike: async (arena, random) => frozen(await arena.leader(), random),
  },
  {
    name: 'a follower frozen and let go',
    strike: async (arena, random) => frozen(some(await arena.followers(), random), random),
  },
  {
    name: 'the leader cut off, both ways',
    strike: async (arena, random) => split(arena, [await arena.leader()], 'both', random),
  },
  {
    name: 'the leader cut off one way: it hears, nobody hears it',
    strike: async (arena, random) => split(arena, [await arena.leader()], 'out', random),
  },
  {
    name: 'the leader cut off one way: it is heard and hears nobody',
    strike: async (arena, random) => split(arena, [await arena.leader()], 'in', random),
  },
  {
    name: 'a follower cut off, both ways',
    strike: async (arena, random) => split(arena, [some(await arena.followers(), random)], 'both', random),
  },
  {
    name: 'a follower cut off one way',
    strike: async (arena, random) =>
      split(arena, [some(await arena.followers(), random)], random() < 0.5 ? 'in' : 'out', random),
  },
  {
    name: 'partition: the leader with a minority',
    least: 5,
    strike: async (arena, random) => {
      const friends = shuffled(await arena.followers(), random).slice(0, minority(arena.managers) - 1);
      return split(arena, [await arena.leader(), ...friends], 'both', random);
    },
  },
  {
    name: 'partition: nobody with a majority',
    strike: async (arena, random) => {
      await cut(arena.managers, (from, to) => from !== to);
      await hold(random);
      return names(arena.managers);
    },
  },
  {
    name: 'one link cut: the leader and a follower do not hear one another, all others do',
    strike: async (arena, random) => {
      const [leader, follower] = [await arena.leader(), some(await arena.followers(), random)];
      await cut([leader, follower], (from, to) => from !== to);
      await hold(random);
      return names([leader, follower]);
    },
  },
  { name: 'disk of the leader full', strike: async (arena) => full(arena, await arena.leader()) },
  {
    name: 'disk of a follower full',
    strike: async (arena, random) => full(arena, some(await arena.followers(), random)),
  },
  {
    name: 'log damaged while the manager is down',
    strike: async (arena, random) => {
      const host = some(arena.managers, random);
      const before = host.timesRepaired;
      await host.daemon.kill();
      const where = host.damageLog(random);
      await host.daemon.start();
      return `${host.name}: ${where}${host.timesRepaired > before ? ', joined anew' : ''}`;
    },
  },
  {
    name: 'leadership handed over: the leader stops in good order and starts again',
    strike: async (arena) => {
      const leader = await arena.leader();
      await leader.daemon.stop();
      await leader.daemon.start();
      return leader.name;
    },
  },
  {
    name: 'rolling restart of all managers',
    strike: async (arena) => {
      for (const { daemon, name } of arena.managers) {
        await daemon.stop();
        await daemon.start();
        await until(`${name} to be back`, async () => (await arena.reachable()) === arena.managers.length);
      }
      return names(arena.managers);
    },
  },
  {
    name: 'every manager replaced by a new one',
    strike: async (arena) => {
      const old = arena.managers;
      for (const host of old) {
        await arena.addManager();
        await arena.removeManager(host);
      }
      return `${names(old)} by ${names(arena.managers)}`;
    },
  },
];

async function restarted(hosts: readonly Host[]): Promise<string> {
  await Promise.all(hosts.map(({ daemon }) => daemon.kill()));
  await Promise.all(hosts.map(({ daemon }) => daemon.start()));
  return names(hosts);
}

async function frozen(host: Host, random: Random): Promise<string> {
  host.daemon.signal('SIGSTOP');
  await hold(random);
  host.daemon.signal('SIGCONT');
  return host.name;
}

/** Parts some managers from all others, for a while. */
async function split(arena: Arena, part: readonly Host[], way: 'both' | 'in' | 'out', random: Random): Promise<string> {
  await cut(arena.managers, (from, to) => {
    const [leaves, enters] = [part.includes(from) && !part.includes(to), !part.includes(from) && part.includes(to)];
    return (leaves && way !== 'in') || (enters && way !== 'out');
  });
  await hold(random);
  return `${names(part)} ${way}`;
}

/** Whoever struck mends it: see Arena.mend. */
async function cut(hosts: readonly Host[], isCut: (from: Host, to: Host) => boolean): Promise<void> {
  const pairs = hosts.flatMap((from) => hosts.map((to) => [from, to] as const)).filter(([from, to]) => isCut(from, to));
  await Promise.all(pairs.map(([from, to]) => from.loseTo(to)));
}

/** Fills the disk, and then the space the log has reserved, until the log says so; then there is room again. */
async function full(arena: Arena, host: Host): Promise<string> {
  const before = host.timesFull;
  const makeRoom = host.fillDisk();
  const at = (n: number): Host => arena.managers[n % arena.managers.length] as Host;
  const end = performance.now() + DISK_PATIENCE_MS;
  const left: string[] = [];
  try {
    for (let i = 0; host.timesFull === before && performance.now() < end; i++) {
      const body = { Name: `ballast-${performance.now()}-${i}`, Data: BALLAST };
      const answer = await at(i)
        .daemon.call<{ ID: string }>('POST', '/configs/create', body, 3_000)
        .catch(() => undefined);
      if (answer?.status === 201) left.push(answer.body.ID);
      else await pause(50);
    }
    if (host.timesFull === before)
      throw new Error(`the log of ${host.name} still had room after ${DISK_PATIENCE_MS / 1000} s: nothing was tried`);
    await pause(HOLD_MS.least);
  } finally {
    makeRoom();
  }
  for (const id of left) {
    await until('the ballast to go', async () => {
      const { status } = await at(0).daemon.call('DELETE', `/configs/${id}`, undefined, 3_000);
      return status === 204 || status === 404;
    });
  }
  return host.name;
}

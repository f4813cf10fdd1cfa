/**
 * Our consensus beside etcd's in the same run: three members each on loopback, mutual TLS, our log encrypted, values of 256 bytes put at the
 * leader by 1, 64 and 512 clients in turns. Then a restart with a million entries, and a snapshot of 100,000 tasks while writes go on.
 * `npm run bench:raft -- [--rounds N] [--alone] [--only puts|restart|snapshot]`
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EtcdGroup } from './raft/etcd-group.ts';
import { OurGroup } from './raft/our-group.ts';
import { PutLoad } from './raft/put-load.ts';
import { missingForEtcd } from './support/needs.ts';
import { residentMb } from './support/process-usage.ts';
import { report, type Figure, type Findings } from './support/report.ts';
import { median, percentile } from './support/statistics.ts';
import { pause, until } from './support/waiting.ts';

const CLIENTS = [1, 64, 512] as const;
/** What our rate must be of etcd's. */
const RATIO_LIMITS = { 1: 0.8, 64: 1, 512: 1 } as const;
const ROUND_MS = 3_000;
/** Code is compiled after it ran so many times, which takes a single client longer. */
const WARM_UP_MS = { 1: 20_000, 64: 5_000, 512: 5_000 } as const;
const LIMITS = { rssMb: 300, delayP99Ms: 20, restartS: 3, snapshotSlowdown: 3, transferS: 10 } as const;
const TASKS = 100_000;
const SNAPSHOT_CLIENTS = 16;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    alone: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const isWanted = (part: string): boolean => values.only === '' || values.only === part;

interface Side {
  readonly name: string;
  readonly load: PutLoad;
  readonly perSecond: number[];
  readonly p99Ms: number[];
}

async function puts(directory: string, missing: string | undefined): Promise<readonly Figure[]> {
  const ours = await OurGroup.start(join(directory, 'ours'));
  const etcd = missing === undefined ? await EtcdGroup.start(join(directory, 'etcd')) : undefined;
  yieldToMembers();
  const figures: Figure[] = [];
  try {
    const own: Side = { name: 'ours', load: new PutLoad(await ours.target()), perSecond: [], p99Ms: [] };
    const rival: Side | undefined = etcd && { name: 'etcd', load: new PutLoad(etcd.target), perSecond: [], p99Ms: [] };
    const sides = rival === undefined ? [own] : [own, rival];
    let delayP99Ms = 0;
    for (const clients of CLIENTS) {
      // Ours compiles its busy code while it runs, and other code is busy with few clients than with many.
      for (const side of sides) await side.load.run(clients, WARM_UP_MS[clients]);
      for (let round = 0; round < Number(values.rounds); round++) {
        for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
          if (side === own) await ours.leader.call({ call: 'watch', isAfresh: round === 0 });
          const { perSecond, latenciesMs } = await side.load.run(clients, ROUND_MS);
          side.perSecond.push(perSecond);
          side.p99Ms.push(percentile(latenciesMs, 0.99));
          if (side === own) ({ delayP99Ms } = await ours.leader.report());
        }
      }
      figures.push(...putFigures(clients, own, rival));
      figures.push({
        what: `${clientsText(clients)}: delay of our event loop, p99 over all rounds`,
        value: delayP99Ms,
        unit: 'ms',
        limit: LIMITS.delayP99Ms,
      });
      for (const side of sides) side.perSecond.length = side.p99Ms.length = 0;
    }
    const { rssMb } = await ours.leader.report();
    figures.push({ what: 'memory of the leader after the run', value: rssMb, unit: 'MB', limit: LIMITS.rssMb });
    if (etcd) figures.push({ what: "memory of etcd's leader", value: residentMb(etcd.leaderPid), unit: 'MB' });
    for (const side of sides) side.load.close();
  } finally {
    await Promise.all([ours.close(), etcd?.close()]);
  }
  return figures;
}

/** Clients elsewhere would take no processor from the members. A priority is one thread's; those that collect garbage have theirs. */
function yieldToMembers(): void {
  for (const thread of readdirSync('/proc/self/task')) {
    setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL);
  }
}

const clientsText = (clients: number): string => (clients === 1 ? 'one client' : `${clients} clients`);

function putFigures(clients: 1 | 64 | 512, own: Side, rival: Side | undefined): readonly Figure[] {
  const what = clientsText(clients);
  const ofSide = ({ name, perSecond, p99Ms }: Side): readonly Figure[] => [
    { what: `${what}: ${name}`, value: median(perSecond), unit: 'writes/s' },
    { what: `${what}: ${name}, p99`, value: median(p99Ms), unit: 'ms' },
  ];
  if (rival === undefined) return ofSide(own);
  const ratios = own.perSecond.map((value, i) => value / (rival.perSecond[i] as number));
  const ratio = {
    what: `${what}: ours to etcd, median of ${ratios.length} rounds`,
    value: median(ratios),
    unit: '×',
    limit: RATIO_LIMITS[clients],
    isLowerBound: true,
  };
  return [...ofSide(own), ...ofSide(rival), ratio];
}

function restart(directory: string): readonly Figure[] {
  const program = fileURLToPath(new URL('./raft/restart.js', import.meta.url));
  const run = (mode: string): string => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, mode, join(directory, 'log')], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`restart ${mode}: ${stderr}`);
    return stdout;
  };
  run('write');
  const { openMs, appliedMs } = JSON.parse(run('start')) as { readonly openMs: number; readonly appliedMs: number };
  return [
    { what: 'restart with 1,000,000 entries: log checked and open', value: openMs / 1000, unit: 's' },
    { what: 'restart with 1,000,000 entries: all applied', value: appliedMs / 1000, unit: 's', limit: LIMITS.restartS },
  ];
}

async function snapshot(directory: string): Promise<readonly Figure[]> {
  const group = await OurGroup.start(join(directory, 'snapshot'));
  try {
    const { leader } = group;
    await leader.call({ call: 'fill', tasks: TASKS });
    const load = new PutLoad(await group.target());
    await load.run(SNAPSHOT_CLIENTS, WARM_UP_MS[64]);
    const calm = percentile((await load.run(SNAPSHOT_CLIENTS, ROUND_MS)).latenciesMs, 0.99);
    const before = leader.snapshots().join();
    const begun = performance.now();
    await leader.call({ call: 'snapshot' });
    let tookMs = 0;
    const done = until('the snapshot', async () => leader.snapshots().join() !== before).then(() => {
      tookMs = performance.now() - begun;
    });
    const busyMs: number[] = [];
    while (tookMs === 0) busyMs.push(...(await load.run(SNAPSHOT_CLIENTS, 200)).latenciesMs);
    await done;
    load.close();
    await pause(500);
    const joining = performance.now();
    const newcomer = await group.add();
    await until('the newcomer to have all tasks', async () => (await newcomer.report()).tasks === TASKS);
    const joinedMs = performance.now() - joining;
    const busy = percentile(busyMs, 0.99);
    return [
      { what: `snapshot of ${TASKS.toLocaleString('en')} tasks taken`, value: tookMs / 1000, unit: 's' },
      { what: 'write p99 before it', value: calm, unit: 'ms' },
      { what: 'write p99 during it', value: busy, unit: 'ms' },
      { what: 'write p99 during it to before', value: busy / calm, unit: '×', limit: LIMITS.snapshotSlowdown },
      {
        what: 'new member: started, sent the snapshot, has applied it, votes',
        value: joinedMs / 1000,
        unit: 's',
        limit: LIMITS.transferS,
      },
    ];
  } finally {
    await group.close();
  }
}

async function measure(): Promise<Findings> {
  const missing = values.alone ? 'it was told to do without' : missingForEtcd();
  const directory = mkdtempSync(join(tmpdir(), 'swarmd-bench-raft-'));
  try {
    const figures: Figure[] = [];
    if (isWanted('puts')) figures.push(...(await puts(directory, missing)));
    if (isWanted('restart')) figures.push(...restart(directory));
    if (isWanted('snapshot')) figures.push(...(await snapshot(directory)));
    const notes = [
      `Both take etcd's own Put over gRPC with mutual TLS from the same load generator, on 8 connections to the leader, 10,000 keys, heartbeats of 100 ms and elections of 1 s; ${values.rounds} rounds of ${ROUND_MS / 1000} s each in turns, after warming up for ${WARM_UP_MS[1] / 1000} s with one client and ${WARM_UP_MS[64] / 1000} s with more. The generator, at a lower priority, and all six members share the machine. Ours are the managers' consensus and store, one transaction for each Put, the log encrypted; etcd does not encrypt its log, and keeps old versions of its keys.`,
      'The restart is of a node with its log of 256-byte entries, encrypted and without a snapshot: every checksum is verified, every entry applied to an empty state machine.',
      ...(missing === undefined ? [] : [`Not compared with etcd: ${missing}.`]),
    ];
    return { figures, notes };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await report('raft', 'Raft: committed writes beside etcd, restart, snapshots', measure);

/** What is asked of both swarms. Each function plays one round and leaves the swarm as it found it. */
import { residentMb } from '../support/process-usage.ts';
import { pause, until } from '../support/waiting.ts';
import type { Arena } from './arena.ts';
import type { HollowWorkers } from './hollow-workers.ts';

/** Seconds (or MB), by what they are. */
export type Round = Readonly<Record<string, number>>;

/** What runtimes need to give back memory that they used to get somewhere. */
const REST_MS = 15_000;

const since = (start: number): number => (performance.now() - start) / 1000;

/** A new service until all its tasks run. */
export async function start(arena: Arena, replicas: number): Promise<Round> {
  const { assigned, started } = arena.counts;
  const managerCpu = arena.managerCpu;
  const workerCpu = arena.workerCpu;
  const from = performance.now();
  const name = await arena.create(replicas);
  await arena.counted('all tasks with their workers', (counts) => counts.assigned >= assigned + replicas);
  const assignedS = since(from);
  await arena.counted('all tasks started', (counts) => counts.started >= started + replicas);
  await arena.running(name, replicas);
  const round = {
    assigned: assignedS,
    running: since(from),
    managerCpu: arena.managerCpu - managerCpu,
    workerCpu: arena.workerCpu - workerCpu,
  };
  await arena.remove(name);
  return round;
}

/** Services that stay, until all their tasks run and the managers have come to rest; in MB. */
export async function memory(arena: Arena, sizes: readonly number[]): Promise<Round> {
  const { started } = arena.counts;
  const names: string[] = [];
  for (const replicas of sizes) {
    const name = await arena.create(replicas);
    await arena.running(name, replicas);
    names.push(name);
  }
  const tasks = sizes.reduce((sum, replicas) => sum + replicas, 0);
  await arena.counted('all tasks started', (counts) => counts.started >= started + tasks);
  await pause(REST_MS);
  const round = { manager: residentMb(arena.contender.pid) };
  await Promise.all(names.map((name) => arena.remove(name)));
  return round;
}

/** A rolling update until the last task was replaced and runs. */
export async function update(arena: Arena, replicas: number, parallelism: number): Promise<Round> {
  const config = { Parallelism: parallelism, Delay: 0, Monitor: 1_000_000, Order: 'stop-first' };
  const name = await arena.create(replicas, { update: config });
  await arena.running(name, replicas);
  const { started } = arena.counts;
  const managerCpu = arena.managerCpu;
  const from = performance.now();
  await arena.replace(name, replicas, config);
  await arena.counted('all tasks replaced', (counts) => counts.started >= started + replicas);
  await arena.running(name, replicas);
  const round = { updated: since(from), managerCpu: arena.managerCpu - managerCpu };
  await arena.remove(name);
  return round;
}

/** Workers of one process are killed; until their tasks run elsewhere. */
export async function loss(arena: Arena, replicas: number, victims: HollowWorkers): Promise<Round> {
  const name = await arena.create(replicas);
  await arena.running(name, replicas);
  const lost = victims.counts.started - victims.counts.ended;
  const { started } = arena.counts;
  const managerCpu = arena.managerCpu;
  await victims.kill();
  const from = performance.now();
  const running = arena
    .counted('all lost tasks running elsewhere', (counts) => counts.started >= started + lost)
    .then(() => since(from));
  await until(
    'all killed workers known to be down',
    async () => {
      const nodes = await arena.ask<readonly { Status: { State: string } }[]>('GET', '/nodes');
      return nodes.filter(({ Status }) => Status.State === 'down').length >= victims.nodes;
    },
    { everyMs: 20 },
  );
  const detected = since(from);
  const recovered = await running;
  const round = {
    detected,
    recovered,
    afterDetection: Math.max(0, recovered - detected),
    managerCpu: arena.managerCpu - managerCpu,
  };
  // Nobody can say that the tasks of a lost node have ended: they are remembered until it is removed.
  await arena.removeDownNodes();
  await arena.remove(name);
  return round;
}

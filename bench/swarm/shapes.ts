/** What is asked of both swarms. Each function plays one round and leaves the swarm as it found it. */
import { residentMb } from '../support/process-usage.ts';
import { pause } from '../support/waiting.ts';
import type { Arena } from './arena.ts';
import type { HollowWorkers } from './hollow-workers.ts';
import { NodeLosses } from './node-losses.ts';

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

/**
 * Workers of one process are killed; until their tasks run elsewhere. Docker Swarm finds dead nodes one after the other, as their heartbeats
 * would have been due, and has replaced the tasks of most when it finds the last; swarmd finds all of them at once. So times from detection
 * are told from the first node, and as the mean over all tasks, each from the detection of its own node.
 */
export async function loss(arena: Arena, replicas: number, victims: HollowWorkers): Promise<Round> {
  const name = await arena.create(replicas);
  await arena.running(name, replicas);
  const { started } = arena.counts;
  const lost = victims.counts.started - victims.counts.ended;
  const held = await arena.tasksByNode(name);
  const managerCpu = arena.managerCpu;
  const losses = await NodeLosses.follow(arena.contender.socket);
  await victims.kill();
  const from = performance.now();
  const startedAt: number[] = [];
  await arena.counted('all lost tasks running elsewhere', (counts) => {
    const now = performance.now();
    while (startedAt.length < Math.min(lost, counts.started - started)) startedAt.push(now);
    return startedAt.length >= lost && losses.at.size >= victims.nodes;
  });
  losses.close();
  const downAt = [...losses.at.values()];
  const recovered = Math.max(...startedAt);
  const detectionOfTasks = [...losses.at].reduce((sum, [node, at]) => sum + at * (held.get(node) ?? 0), 0);
  const round = {
    detected: (Math.max(...downAt) - from) / 1000,
    recovered: (recovered - from) / 1000,
    fromFirst: (recovered - Math.min(...downAt)) / 1000,
    fromLast: Math.max(0, recovered - Math.max(...downAt)) / 1000,
    mean: (startedAt.reduce((sum, at) => sum + at, 0) - detectionOfTasks) / lost / 1000,
    managerCpu: arena.managerCpu - managerCpu,
  };
  // Nobody can say that the tasks of a lost node have ended: they are remembered until it is removed.
  await arena.removeDownNodes();
  await arena.remove(name);
  return round;
}

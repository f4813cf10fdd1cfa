/**
 * A whole swarm beside a real Docker Swarm: one manager each, the same hollow workers, in the same run and in turns.
 * `npm run bench:swarm -- [--only start,large,update,memory,loss,leader,cost] [--quick] [--rounds N] [--alone]`
 */
import { parseArgs } from 'node:util';
import { endInOrderWhenInterrupted } from '../test/support/interruption.ts';
import { Arena } from './swarm/arena.ts';
import { compare } from './swarm/compare.ts';
import { costPerTask } from './swarm/cost.ts';
import { dockerSwarm, swarmd } from './swarm/contender.ts';
import { leaderLoss } from './swarm/leader-loss.ts';
import { loss, memory, start, update } from './swarm/shapes.ts';
import { missingForDocker } from './support/needs.ts';
import { report, type Figure, type Findings } from './support/report.ts';
import { pause } from './support/waiting.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    alone: { type: 'boolean', default: false },
  },
});
const WHOLE = {
  workers: 300,
  tasks: 3000,
  many: 10_000,
  updated: 1000,
  parallelism: 50,
  rounds: 5,
  growth: [1_000, 10_000, 100_000],
};
const QUICK = { workers: 60, tasks: 600, many: 2000, updated: 200, parallelism: 50, rounds: 2, growth: [500, 5_000] };
const size = values.quick ? QUICK : WHOLE;
const rounds = Number(values.rounds ?? size.rounds);
/** Share of the workers that can be killed at once. */
const victims = size.workers / 10;

type Play = (arenas: readonly Arena[]) => Promise<readonly Figure[]>;

const SHAPES: Readonly<Record<string, Play>> = {
  start: (arenas) =>
    compare(`${size.tasks} tasks`, arenas, rounds, (arena) => start(arena, size.tasks), [
      { key: 'running', what: 'all running', limit: 0.5 },
      { key: 'managerCpu', what: 'CPU time of the manager', limit: 0.5 },
      { key: 'workerCpu', what: 'CPU time of all workers' },
    ]),
  large: (arenas) =>
    compare(`${size.many} tasks`, arenas, rounds, (arena) => start(arena, size.many), [
      { key: 'assigned', what: 'all with their workers', limit: 0.33 },
      { key: 'running', what: 'all running', limit: 0.5 },
      { key: 'managerCpu', what: 'CPU time of the manager' },
    ]),
  memory: (arenas) =>
    compare(
      `${size.tasks + size.many} tasks at rest`,
      arenas,
      Math.min(rounds, 3),
      (arena) => memory(arena, [size.tasks, size.many]),
      [{ key: 'manager', what: 'memory of the manager', limit: 0.7, unit: 'MB' }],
    ),
  update: (arenas) =>
    compare(
      `rolling update of ${size.updated} tasks, ${size.parallelism} at a time`,
      arenas,
      rounds,
      (arena) => update(arena, size.updated, size.parallelism),
      [
        { key: 'updated', what: 'all replaced', limit: 0.7 },
        { key: 'managerCpu', what: 'CPU time of the manager' },
      ],
    ),
  // Killed workers do not come back, so each round needs fresh ones.
  loss: (arenas) =>
    compare(
      `${victims} of ${size.workers} workers killed`,
      arenas,
      Math.min(rounds, 3),
      async (arena) => loss(arena, size.tasks, await arena.join(victims)),
      [
        { key: 'detected', what: 'all known to be down' },
        { key: 'recovered', what: 'their tasks running elsewhere' },
        { key: 'fromFirst', what: 'their tasks running elsewhere, from the first detection', limit: 0.5 },
        { key: 'fromLast', what: 'their tasks running elsewhere, from the last detection' },
        { key: 'mean', what: 'a task running elsewhere, from the detection of its node, mean' },
      ],
    ),
  // Of ours alone, whose metrics tell.
  cost: ([ours]) => costPerTask(ours as Arena, size.growth),
};

/** Whether a shape is of swarmd alone. */
const isOursAlone = (shape: string): boolean => values.alone || shape === 'cost';

/** Both swarms with their workers, warm; of ours alone where there is no rival, or none is asked for. */
async function open(workers: number, isAlone: boolean): Promise<readonly Arena[]> {
  const arenas: Arena[] = [];
  try {
    arenas.push(new Arena(await swarmd()));
    if (!isAlone && missingForDocker() === undefined) arenas.push(new Arena(await dockerSwarm()));
    for (const arena of arenas) await arena.join(workers);
    // Both servers run for long in practice; ours compiles its busy code while it runs.
    for (const arena of arenas) for (let i = 0; i < 2; i++) await start(arena, size.tasks);
    await pause(1_000);
    return arenas;
  } catch (error) {
    await close(arenas);
    throw error;
  }
}

async function close(arenas: readonly Arena[]): Promise<void> {
  for (const arena of arenas) await arena.close();
}

async function measure(shape: string, arenas: readonly Arena[], play: Play): Promise<Findings> {
  const missing = isOursAlone(shape) ? 'this is about swarmd alone' : missingForDocker();
  const figures = await play(arenas);
  const [first] = arenas;
  const notes = [
    `One manager and ${size.workers} hollow workers each (${first?.workers[0]?.residentMb.toFixed(0)} MB resident for the process of ours), after warming up; medians where there are several rounds (${rounds} of starts and updates), in turns. All share the machine. Times begin when the request is sent; workers tell when they got and started tasks, and the manager's own count decides that all run.`,
    ...(missing === undefined ? [] : [`Not compared with Docker Swarm: ${missing}.`]),
  ];
  return { figures, notes };
}

const TITLES: Readonly<Record<string, string>> = {
  start: 'A swarm beside Docker Swarm: a new service',
  large: 'A swarm beside Docker Swarm: a large new service',
  update: 'A swarm beside Docker Swarm: rolling update',
  memory: 'A swarm beside Docker Swarm: memory with many tasks',
  loss: 'A swarm beside Docker Swarm: workers lost',
  leader: 'A leader killed with many workers: three managers',
  cost: 'What a task costs the manager, and how that grows',
};

const isWanted = (shape: string): boolean => values.only === undefined || values.only.split(',').includes(shape);

const reportOf = (shape: string, run: () => Promise<Findings>): Promise<void> =>
  report(
    values.quick ? `quick-${shape}` : `swarm-${shape}`,
    TITLES[shape] ?? shape,
    run,
    `npm run bench:swarm -- --only ${shape}`,
  );

/** Shapes that leave the workers as they were share them, since joining takes longest. */
async function playTogether(shapes: readonly string[], workers: number): Promise<void> {
  const wanted = shapes.filter(isWanted);
  if (wanted.length === 0) return;
  const arenas = await open(workers, wanted.every(isOursAlone));
  try {
    for (const shape of wanted) await reportOf(shape, () => measure(shape, arenas, SHAPES[shape] as Play));
  } finally {
    await close(arenas);
  }
}

endInOrderWhenInterrupted();
await playTogether(['start', 'large', 'update', 'memory'], size.workers);
await playTogether(['loss'], size.workers - victims);
if (isWanted('leader')) await reportOf('leader', () => leaderLoss(size.workers, size.tasks, rounds));
await playTogether(['cost'], size.workers);

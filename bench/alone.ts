/**
 * One manager with thousands of hollow workers and a hundred tasks of each of a thousand services.
 * `npm run bench:alone -- [--workers N] [--services N] [--processes N]`
 */
import { parseArgs } from 'node:util';
import { Arena } from './swarm/arena.ts';
import { ask, swarmd } from './swarm/contender.ts';
import { LISTS, ListCalls } from './swarm/list-calls.ts';
import { cpuSeconds, mostResidentMb, residentMb } from './support/process-usage.ts';
import { report, type Findings } from './support/report.ts';
import { pause } from './support/waiting.ts';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '5000' },
    services: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '4' },
  },
});
const workers = Number(values.workers);
const services = Number(values.services);
const processes = Number(values.processes);
const REPLICAS = 100;
const tasks = services * REPLICAS;
/** Requests under way at a time when services are created and removed. */
const CLIENTS = 16;
const SETTLE_MS = 30_000;
const IDLE_MS = 30_000;

const since = (start: number): number => (performance.now() - start) / 1000;

async function measure(): Promise<Findings> {
  const arena = new Arena(await swarmd());
  const { socket, pid } = arena.contender;
  try {
    const joining = performance.now();
    for (let i = 0; i < processes; i++) await arena.join(Math.round(workers / processes));
    const joinedS = since(joining);
    await pause(SETTLE_MS);
    const workerKb = memoryOfWorkers(arena);

    const lists = new ListCalls(arena);
    const cpu = arena.managerCpu;
    const from = performance.now();
    const names = await inParallel(services, () => arena.create(REPLICAS));
    const createdS = since(from);
    await arena.counted('all tasks started', ({ started }) => started >= tasks);
    await arena.counting('running', tasks);
    const runningS = since(from);
    const startCpu = arena.managerCpu - cpu;
    const { latencies, lost } = await lists.stop();

    await pause(SETTLE_MS);
    const idleFrom = cpuSeconds(pid);
    await pause(IDLE_MS);
    const idle = ((cpuSeconds(pid) - idleFrom) / (IDLE_MS / 1000)) * 100;
    const restingMb = residentMb(pid);
    const busyWorkerKb = memoryOfWorkers(arena);
    const mostMb = mostResidentMb(pid);
    const wholeFrom = performance.now();
    await ask(socket, 'GET', '/tasks');
    const wholeListS = since(wholeFrom);

    const removing = performance.now();
    await inParallel(names.length, (i) => arena.ask('DELETE', `/services/${names[i]}`));
    await arena.gone();
    const removedS = since(removing);
    return {
      figures: [
        { what: 'all workers joined', value: joinedS, unit: 's' },
        { what: 'memory of a worker', value: workerKb, unit: 'KiB', limit: 250 },
        { what: 'memory of a worker with its tasks', value: busyWorkerKb, unit: 'KiB' },
        { what: 'all services created', value: createdS, unit: 's' },
        { what: 'all tasks running', value: runningS, unit: 's', limit: 120 },
        { what: 'CPU time of the manager until then', value: startCpu, unit: 's' },
        ...LISTS.flatMap((list) => [
          { what: `${list} meanwhile, 99th percentile`, value: latencies(list, 0.99), unit: 's', limit: 1 },
          { what: `${list} meanwhile, median`, value: latencies(list, 0.5), unit: 's' },
        ]),
        { what: 'workers that lost their session meanwhile', value: lost, unit: '', limit: 0 },
        { what: 'manager memory, at most', value: mostMb, unit: 'MB', limit: 2560 },
        { what: 'manager memory, at rest', value: restingMb, unit: 'MB' },
        { what: 'CPU of one core at rest', value: idle, unit: '%', limit: 50 },
        { what: 'GET /tasks with all tasks', value: wholeListS, unit: 's' },
        { what: 'all services removed, no task left', value: removedS, unit: 's', limit: 60 },
      ],
      notes: [
        `${workers} hollow workers in ${processes} processes, ${services} services of ${REPLICAS} tasks. The lists are asked for one after the other, 100 ms apart. The memory of a worker is that of its process, 30 s after joining, divided by its workers; with its tasks, a minute after they run. They have MALLOC_MMAP_THRESHOLD_=65536 in their environment.`,
      ],
    };
  } finally {
    await arena.close();
  }
}

/** Of the process that needs most for each, in KiB. */
const memoryOfWorkers = ({ workers: all }: Arena): number =>
  Math.max(...all.map(({ residentMb: mb, nodes }) => (mb * 1024) / nodes));

/** Runs `count` times, some at a time; results in order. */
async function inParallel<T>(count: number, run: (i: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      results[i] = await run(i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CLIENTS, count) }, client));
  return results;
}

await report('alone', `${workers.toLocaleString('en')} workers and ${tasks.toLocaleString('en')} tasks`, measure);

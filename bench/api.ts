/**
 * The HTTP API of one manager with many objects, beside a real Docker Swarm of one manager in the same run: lists, creates, memory.
 * `npm run bench:api -- [--services N] [--rounds N] [--alone]`
 */
import { parseArgs } from 'node:util';
import { configCreates, inTurns, ratioFigures, withRivals, type Rivals, type Server } from './support/beside-docker.ts';
import { getRequest, getText, httpLoad, postRequest } from './support/http-load.ts';
import { cpuSeconds, residentMb } from './support/process-usage.ts';
import { report, type Figure, type Findings } from './support/report.ts';
import { until } from './support/waiting.ts';

const REPLICAS = 10;
const ROUND_MS = 3_000;
const WARM_UP_MS = 4_000;
/** Memory may be this much of Docker's. */
const MEMORY_LIMIT = 1.2;
const CREATORS = 64;
/** Each round, whatever time it takes: both hold as many objects when their memory is compared. */
const CREATES = 10_000;
const CREATES_TIMEOUT_MS = 120_000;
const FILL_TIMEOUT_MS = 300_000;

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    alone: { type: 'boolean', default: false },
  },
});
const services = Number(values.services);
const rounds = Number(values.rounds);

/** What is measured, by how many clients, and what the ratio to Docker must reach. */
const READS = [
  { path: '/v1.41/services?status=true', clients: 1, limit: 2 },
  { path: '/v1.41/tasks', clients: 1, limit: 2 },
  { path: '/v1.41/nodes', clients: 16, limit: 1 },
] as const;

/** Tasks that no node takes: what is measured is the manager alone. */
const serviceNamed = (name: string): string =>
  JSON.stringify({
    Name: name,
    Labels: { 'com.example.team': 'bench' },
    TaskTemplate: {
      ContainerSpec: { Image: 'nginx:latest', Env: ['A=1', 'B=2'], Labels: { role: 'web' } },
      Placement: { Constraints: ['node.labels.nowhere == true'] },
      Resources: { Limits: { MemoryBytes: 268_435_456 } },
    },
    Mode: { Replicated: { Replicas: REPLICAS } },
  });

async function fill({ name, socket }: Server): Promise<void> {
  await httpLoad({
    socketPath: socket,
    request: (n) => postRequest('/v1.41/services/create', serviceNamed(`service-${n}`)),
    status: 201,
    clients: 1,
    durationMs: FILL_TIMEOUT_MS,
    count: services,
  });
  await until(
    `the tasks of ${name}`,
    async () => (JSON.parse(await getText(socket, '/v1.41/tasks')) as unknown[]).length >= services * REPLICAS,
    { timeoutMs: FILL_TIMEOUT_MS, everyMs: 1000 },
  );
}

async function reads({ socket }: Server, path: string, clients: number, durationMs = ROUND_MS): Promise<number> {
  const request = getRequest(path);
  return (await httpLoad({ socketPath: socket, request: () => request, status: 200, clients, durationMs })).perSecond;
}

async function creates({ socket }: Server): Promise<number> {
  const { path, body } = configCreates();
  const request = (n: number): string => postRequest(path, body(n));
  const much = { clients: CREATORS, count: CREATES, durationMs: CREATES_TIMEOUT_MS };
  return (await httpLoad({ socketPath: socket, request, status: 201, ...much })).perSecond;
}

async function measure(rivals: Rivals): Promise<Findings> {
  const { ours, theirs, missing } = rivals;
  const servers = [ours, ...(theirs ? [theirs] : [])];
  for (const server of servers) await fill(server);
  const figures: Figure[] = [];
  for (const { path, clients, limit } of READS) {
    for (const server of servers) await reads(server, path, clients, WARM_UP_MS);
    const cpuBefore = cpuSeconds(ours.pid);
    const rates = await inTurns(rivals, rounds, (server) => reads(server, path, clients));
    const cpuMs = (cpuSeconds(ours.pid) - cpuBefore) * 1000;
    const requests = rates.ours.reduce((sum, perSecond) => sum + (perSecond * ROUND_MS) / 1000, 0);
    const what = `GET ${path.slice('/v1.41'.length)}, ${clients} client${clients === 1 ? '' : 's'}`;
    figures.push(...ratioFigures(what, 'requests/s', rates, limit), {
      what: `${what}: CPU time of swarmd per request`,
      value: cpuMs / requests,
      unit: 'ms',
    });
  }
  for (const server of servers) await creates(server);
  const rates = await inTurns(rivals, rounds, (server) => creates(server));
  figures.push(...ratioFigures(`POST /configs/create, ${CREATORS} clients`, 'writes/s', rates, 3));
  const memory = residentMb(ours.pid);
  figures.push({ what: 'memory of swarmd after the run', value: memory, unit: 'MB' });
  if (theirs) {
    const rival = residentMb(theirs.pid);
    figures.push(
      { what: 'memory of dockerd after the run', value: rival, unit: 'MB' },
      { what: 'memory: swarmd to dockerd', value: memory / rival, unit: '×', limit: MEMORY_LIMIT },
    );
  }
  const notes = [
    `${services.toLocaleString('en')} services with ${REPLICAS} replicas each that no node takes; ${rounds} rounds of ${ROUND_MS / 1000} s each, in turns; a round of creates is ${CREATES.toLocaleString('en')} of them. Clients and both servers share the machine.`,
    ...(missing === undefined ? [] : [`Not compared with Docker Swarm: ${missing}.`]),
  ];
  return { figures, notes };
}

await report('api', 'HTTP API: lists and creates with many services, beside Docker Swarm', () =>
  withRivals(values.alone, measure),
);

/**
 * Writes per second through the HTTP API of one manager, beside a real Docker Swarm of one manager on the same disk in the same
 * run: one client, and 64 at once, in alternating rounds. `npm run bench:writes -- [--rounds N] [--alone]`
 */
import { parseArgs } from 'node:util';
import { configCreates, inTurns, ratioFigures, withRivals, type Rivals, type Server } from './support/beside-docker.ts';
import { getText, httpLoad, postRequest } from './support/http-load.ts';
import { cpuSeconds } from './support/process-usage.ts';
import { report, type Figure, type Findings } from './support/report.ts';

const CLIENTS = [1, 64] as const;
const ROUND_MS = 2_000;
/** Both servers run for long in practice; ours compiles its busy code while it runs. */
const WARM_UP_MS = 6_000;
/** What the ratio to Docker must reach. */
const RATIO_LIMITS = { 1: 1, 64: 3 } as const;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, alone: { type: 'boolean', default: false } },
});

/** Creates configs of 512 bytes at a manager; resolves with how many per second. */
async function writes({ socket }: Server, clients: number, durationMs = ROUND_MS): Promise<number> {
  const { path, body } = configCreates();
  const request = (n: number): string => postRequest(path, body(n));
  return (await httpLoad({ socketPath: socket, request, status: 201, clients, durationMs })).perSecond;
}

async function measure(rivals: Rivals): Promise<Findings> {
  const { ours, theirs, missing } = rivals;
  for (const clients of CLIENTS) {
    await writes(ours, clients, WARM_UP_MS);
    if (theirs) await writes(theirs, clients, WARM_UP_MS);
  }
  const figures: Figure[] = [];
  for (const clients of CLIENTS) {
    const before = await logCounters(ours);
    const cpuBefore = cpuSeconds(ours.pid);
    const rates = await inTurns(rivals, Number(values.rounds), (server) => writes(server, clients));
    const cpuMs = (cpuSeconds(ours.pid) - cpuBefore) * 1000;
    const after = await logCounters(ours);
    const name = clients === 1 ? 'one client' : `${clients} clients`;
    const commits = after.commits - before.commits;
    figures.push(
      ...ratioFigures(name, 'writes/s', rates, RATIO_LIMITS[clients]),
      { what: `${name}: CPU time of swarmd per write`, value: cpuMs / commits, unit: 'ms' },
      {
        what: `${name}: disk syncs per commit`,
        value: (after.fsyncs - before.fsyncs) / commits,
        unit: '',
        ...(clients === 1 ? {} : { limit: 0.3 }),
      },
    );
  }
  const notes = [
    `Configs of 512 bytes through POST /configs/create, each client on its own connection; ${values.rounds} rounds of ${ROUND_MS / 1000} s each, in turns, after ${WARM_UP_MS / 1000} s of warming up. Clients and both servers share the machine.`,
    ...(missing === undefined ? [] : [`Not compared with Docker Swarm: ${missing}.`]),
  ];
  return { figures, notes };
}

async function logCounters({ socket }: Server): Promise<{ readonly commits: number; readonly fsyncs: number }> {
  const metrics = await getText(socket, '/metrics');
  const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return { commits: read('swarmd_raft_commit_index'), fsyncs: read('swarmd_raft_fsyncs') };
}

await report('writes', 'Writes: configs/create on one manager, beside Docker Swarm', () =>
  withRivals(values.alone, measure),
);

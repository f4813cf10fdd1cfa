/**
 * Writes per second through the HTTP API of one manager, beside a real Docker Swarm of one manager on the same disk in the same
 * run: one client, and 64 at once, in alternating rounds. `npm run bench:writes -- [--rounds N] [--alone]`
 */
import { parseArgs } from 'node:util';
import { DockerEngine } from '../test/support/docker-engine.ts';
import { TestCluster } from '../test/support/cluster.ts';
import { getText, postLoad } from './support/http-load.ts';
import { missingForDocker } from './support/needs.ts';
import { cpuSeconds } from './support/process-usage.ts';
import { report, type Figure, type Findings } from './support/report.ts';
import { median } from './support/statistics.ts';

const CLIENTS = [1, 64] as const;
const ROUND_MS = 2_000;
/** Both servers run for long in practice; ours compiles its busy code while it runs. */
const WARM_UP_MS = 6_000;
/** What the ratio to Docker must reach. */
const RATIO_LIMITS = { 1: 1, 64: 3 } as const;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, alone: { type: 'boolean', default: false } },
});
const data = Buffer.alloc(512, 'swarm').toString('base64');
let series = 0;

/** Creates configs of 512 bytes at a manager; resolves with how many per second. */
async function writes(socketPath: string, clients: number, durationMs = ROUND_MS): Promise<number> {
  const prefix = `bench-${series++}`;
  const load = await postLoad({
    socketPath,
    path: '/v1.41/configs/create',
    body: (n) => `{"Name":"${prefix}-${n}","Labels":{},"Data":"${data}"}`,
    status: 201,
    clients,
    durationMs,
  });
  return load.perSecond;
}

async function measure(): Promise<Findings> {
  const missing = values.alone ? 'it was told to do without' : missingForDocker();
  const docker = missing === undefined ? await DockerEngine.start({ isSwarm: true }) : undefined;
  try {
    const cluster = await TestCluster.start({ managers: 1, workers: 0, managerRuntime: 'none' });
    try {
      return await compare(cluster, docker, missing);
    } finally {
      await cluster.close();
    }
  } finally {
    await docker?.close();
  }
}

async function compare(
  cluster: TestCluster,
  docker: DockerEngine | undefined,
  missing: string | undefined,
): Promise<Findings> {
  const { socket, pid } = cluster.first;
  for (const clients of CLIENTS) {
    await writes(socket, clients, WARM_UP_MS);
    if (docker) await writes(docker.socket, clients, WARM_UP_MS);
  }
  const figures: Figure[] = [];
  for (const clients of CLIENTS) {
    const ours: number[] = [];
    const theirs: number[] = [];
    const before = await logCounters(cluster);
    const cpuBefore = cpuSeconds(pid);
    const us = async (): Promise<void> => void ours.push(await writes(socket, clients));
    const them = async (): Promise<void> => void (docker && theirs.push(await writes(docker.socket, clients)));
    for (let round = 0; round < Number(values.rounds); round++) {
      // Whoever goes first meets a quieter disk, so they take turns.
      if (round % 2 === 0) await us().then(them);
      else await them().then(us);
    }
    const cpuMs = (cpuSeconds(pid) - cpuBefore) * 1000;
    const after = await logCounters(cluster);
    const name = clients === 1 ? 'one client' : `${clients} clients`;
    figures.push({ what: `${name}: swarmd`, value: median(ours), unit: 'writes/s' });
    if (docker) {
      const ratios = ours.map((value, i) => value / (theirs[i] as number));
      figures.push(
        { what: `${name}: Docker Swarm`, value: median(theirs), unit: 'writes/s' },
        {
          what: `${name}: swarmd to Docker, median of ${ratios.length} rounds`,
          value: median(ratios),
          unit: '×',
          limit: RATIO_LIMITS[clients],
          isLowerBound: true,
        },
      );
    }
    const commits = after.commits - before.commits;
    figures.push(
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

async function logCounters(cluster: TestCluster): Promise<{ readonly commits: number; readonly fsyncs: number }> {
  const metrics = await getText(cluster.first.socket, '/metrics');
  const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return { commits: read('swarmd_raft_commit_index'), fsyncs: read('swarmd_raft_fsyncs') };
}

await report('writes', 'Writes: configs/create on one manager, beside Docker Swarm', measure);

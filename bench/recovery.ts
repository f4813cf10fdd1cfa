/**
 * How long until the replicas of a dead worker run elsewhere: its process killed, and its network cut without a word.
 * One manager, two workers, process driver. The cut needs root and the ip command.
 */
import { aService, TestCluster, type TestDaemon } from '../test/support/cluster.ts';
import { report, type Figure, type Findings } from './support/report.ts';
import { Link } from './support/link.ts';
import { missingForNamespaces } from './support/needs.ts';
import { median, worst } from './support/statistics.ts';
import { pause, until } from './support/waiting.ts';

const ROUNDS = 7;
const REPLICAS = 4;
/** A worker dies at any moment between two heartbeats: the rounds are spread over the time between them. */
const SPREAD_MS = 5_000;

async function measure(): Promise<Findings> {
  const killed = await killedProcess();
  const missing = missingForNamespaces();
  const cut = missing === undefined ? await cutNetwork() : [];
  const figures: readonly Figure[] = [
    { what: 'kill -9 of the worker process, median', value: median(killed) / 1000, unit: 's', limit: 5 },
    { what: 'kill -9 of the worker process, worst', value: worst(killed) / 1000, unit: 's', limit: 5 },
    ...(cut.length === 0
      ? []
      : [
          { what: 'network cut, median', value: median(cut) / 1000, unit: 's', limit: 10 },
          { what: 'network cut, worst', value: worst(cut) / 1000, unit: 's', limit: 10 },
        ]),
  ];
  const notes = [
    `${ROUNDS} rounds each: ${REPLICAS} replicas on two workers; the time is from the fault until ${REPLICAS} run on the other worker.`,
    ...(missing === undefined
      ? ['The cut loses every packet between the worker and the manager; no connection is closed.']
      : [`The network cut was not measured: ${missing}.`]),
  ];
  return { figures, notes };
}

async function killedProcess(): Promise<readonly number[]> {
  const cluster = await TestCluster.start({ managers: 1, workers: 2, managerRuntime: 'none' });
  try {
    const victim = cluster.workers[1] as TestDaemon;
    return await rounds(cluster, victim, {
      strike: () => victim.kill(),
      mend: () => victim.start(),
    });
  } finally {
    await cluster.close();
  }
}

async function cutNetwork(): Promise<readonly number[]> {
  const link = Link.create();
  try {
    const cluster = await TestCluster.start({ managers: 1, workers: 1, managerRuntime: 'none', host: link.here });
    try {
      const victim = await cluster.addWorker('w2', 'process', link.namespace);
      return await rounds(cluster, victim, {
        strike: async () => link.cut(),
        mend: async () => link.heal(),
      });
    } finally {
      await cluster.close();
    }
  } finally {
    link.close();
  }
}

async function rounds(
  cluster: TestCluster,
  victim: TestDaemon,
  fault: { readonly strike: () => Promise<unknown>; readonly mend: () => Promise<unknown> },
): Promise<readonly number[]> {
  const times: number[] = [];
  const { ID } = await cluster.node(victim.name);
  for (let round = 0; round < ROUNDS; round++) {
    await until('two ready workers', async () => {
      const nodes = await cluster.nodes();
      return nodes.filter((node) => node.Spec.Role === 'worker' && node.Status.State === 'ready').length === 2;
    });
    const name = `service-${round}`;
    await cluster.first.ask('POST', '/services/create', aService(name, REPLICAS));
    await until('tasks on both workers', async () => {
      const running = await cluster.running(name);
      return running.length === REPLICAS && running.some((task) => task.NodeID === ID);
    });
    await pause((SPREAD_MS * (round + 1)) / ROUNDS);
    const struckAt = performance.now();
    await fault.strike();
    await until('the replicas elsewhere', async () => {
      const running = await cluster.running(name);
      return running.length === REPLICAS && running.every((task) => task.NodeID !== ID);
    });
    times.push(performance.now() - struckAt);
    await fault.mend();
    await cluster.first.ask('DELETE', `/services/${name}`);
  }
  return times;
}

await report('recovery', 'Recovery: replicas of a dead worker running elsewhere', measure);

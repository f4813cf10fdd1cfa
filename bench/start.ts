/** How long from `service create` to three running tasks of the process driver: one manager, two workers, by the HTTP API. */
import { aService, TestCluster, type ApiTask } from '../test/support/cluster.ts';
import { report, type Findings } from './support/report.ts';
import { median, percentile, worst } from './support/statistics.ts';
import { pause, until } from './support/waiting.ts';

const ROUNDS = 20;
const REPLICAS = 3;

async function measure(): Promise<Findings> {
  const cluster = await TestCluster.start({ managers: 1, workers: 2 });
  try {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const name = `service-${round}`;
      const startedAt = performance.now();
      await cluster.first.ask('POST', '/services/create', aService(name, REPLICAS));
      await until(`${REPLICAS} running tasks`, async () => (await cluster.running(name)).length === REPLICAS, {
        everyMs: 5,
      });
      times.push(performance.now() - startedAt);
      await cluster.first.ask('DELETE', `/services/${name}`);
      await until('the end of the tasks', async () => (await allTasks(cluster)).length === 0);
      await pause(200);
    }
    return {
      figures: [
        { what: `${REPLICAS} replicas running, median`, value: median(times) / 1000, unit: 's', limit: 0.5 },
        { what: `${REPLICAS} replicas running, 95th percentile`, value: percentile(times, 0.95) / 1000, unit: 's' },
        { what: `${REPLICAS} replicas running, worst`, value: worst(times) / 1000, unit: 's' },
      ],
      notes: [`${ROUNDS} services, one after the other; the client asks for the tasks every 5 ms.`],
    };
  } finally {
    await cluster.close();
  }
}

const allTasks = (cluster: TestCluster): Promise<readonly ApiTask[]> => cluster.first.ask('GET', '/tasks');

await report('start', 'Start: `service create --replicas 3` until 3 tasks run, process driver', measure);

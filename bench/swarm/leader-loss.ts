/** kill -9 of the leader of three managers that many workers are joined to. */
import { TestCluster } from '../../test/support/cluster.ts';
import { ConfigWriter } from '../support/config-writer.ts';
import type { Findings } from '../support/report.ts';
import { median, worst } from '../support/statistics.ts';
import { pause, until } from '../support/waiting.ts';
import { Arena } from './arena.ts';
import { addressOf } from './contender.ts';

/** What a needless restart would show within. */
const WATCH_TASKS_MS = 10_000;

/** Of ours alone: the limits are absolute. */
export async function leaderLoss(workers: number, tasks: number, kills: number): Promise<Findings> {
  const cluster = await TestCluster.start({ managers: 3, workers: 0, managerRuntime: 'none' });
  const { socket, pid } = cluster.first;
  const address = await addressOf(socket);
  const close = (): Promise<void> => cluster.close();
  const arena = new Arena({ name: 'swarmd', socket, pid, address, namespace: undefined, close });
  const writer = new ConfigWriter(cluster.managers);
  const writing = writer.run();
  try {
    await arena.join(workers);
    const service = await arena.create(tasks);
    await arena.running(service, tasks);
    const started = arena.counts.started;
    const outages: number[] = [];
    const sessions: number[] = [];
    for (let i = 0; i < kills; i++) {
      await pause(2_000);
      const leader = await until('a leader', () => cluster.leader());
      const from = performance.now();
      const back = sessionsBack(arena, workers).then(() => performance.now());
      const [acceptedAt] = await Promise.all([writer.acceptedAfter(from), leader.kill()]);
      outages.push((acceptedAt - from) / 1000);
      sessions.push(((await back) - from) / 1000);
      await pause(WATCH_TASKS_MS);
      await leader.start();
      await until('three reachable managers', async () => {
        const nodes = await cluster.nodes();
        return nodes.filter((node) => node.ManagerStatus?.Reachability === 'reachable').length === 3;
      });
    }
    return {
      figures: [
        { what: 'next accepted write, median', value: median(outages), unit: 's', limit: 1.5 },
        { what: 'next accepted write, worst', value: worst(outages), unit: 's', limit: 1.5 },
        { what: 'all workers in session again, median', value: median(sessions), unit: 's' },
        { what: 'all workers in session again, worst', value: worst(sessions), unit: 's' },
        { what: 'tasks restarted', value: arena.counts.started - started, unit: '', limit: 0 },
      ],
      notes: [
        `${workers} hollow workers with ${tasks} tasks, ${kills} times kill -9 of the leading process, which is then started again. A client creates configs one after the other, at the next manager when one does not answer.`,
      ],
    };
  } finally {
    writer.stop();
    await writing;
    await arena.close();
  }
}

/** Every worker had its session with the leader, so all lose it. */
async function sessionsBack(arena: Arena, workers: number): Promise<void> {
  await arena.counted('sessions lost', ({ connected }) => connected < workers);
  await arena.counted('all sessions back', ({ connected }) => connected === workers);
}

/**
 * How long the cluster takes no writes when its leader is killed: three managers, two workers, one client that creates configs
 * at any manager that answers. `npm run bench:failover -- [--kills N]`
 */
import { parseArgs } from 'node:util';
import { TestCluster } from '../test/support/cluster.ts';
import { ConfigWriter } from './support/config-writer.ts';
import { report, type Findings } from './support/report.ts';
import { median, percentile, worst } from './support/statistics.ts';
import { pause, until } from './support/waiting.ts';

const BETWEEN_KILLS_MS = 1_500;

const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' } } });

async function measure(): Promise<Findings> {
  const kills = Number(values.kills);
  const cluster = await TestCluster.start({ managers: 3, workers: 2, managerRuntime: 'none' });
  const writer = new ConfigWriter(cluster.managers);
  const writing = writer.run();
  try {
    const gaps: number[] = [];
    for (let i = 0; i < kills; i++) {
      await pause(BETWEEN_KILLS_MS);
      const leader = await until('a leader', () => cluster.leader());
      const killedAt = performance.now();
      const [acceptedAt] = await Promise.all([writer.acceptedAfter(killedAt), leader.kill()]);
      gaps.push(acceptedAt - killedAt);
      await leader.start();
      await settled(cluster);
    }
    writer.stop();
    await writing;
    const stored = await cluster.first.ask<readonly { readonly Spec: { readonly Name: string } }[]>('GET', '/configs');
    const names = new Set(stored.map(({ Spec }) => Spec.Name));
    const lost = writer.acknowledged.filter((name) => !names.has(name)).length;
    return {
      figures: [
        { what: 'next accepted write, median', value: median(gaps) / 1000, unit: 's', limit: 1 },
        { what: 'next accepted write, 99th percentile', value: percentile(gaps, 0.99) / 1000, unit: 's', limit: 2 },
        { what: 'next accepted write, worst', value: worst(gaps) / 1000, unit: 's' },
        { what: 'acknowledged writes lost', value: lost, unit: '', limit: 0 },
        { what: 'acknowledged writes', value: writer.acknowledged.length, unit: '' },
      ],
      notes: [
        `${kills} times kill -9 of the leading process, which is then started again. A client creates configs one after the other, at the next manager when one does not answer.`,
      ],
    };
  } finally {
    writer.stop();
    await writing;
    await cluster.close();
  }
}

/** All managers follow the same leader and have what it has. */
async function settled(cluster: TestCluster): Promise<void> {
  await until('three reachable managers', async () => {
    const nodes = await cluster.nodes();
    return nodes.filter((node) => node.ManagerStatus?.Reachability === 'reachable').length === 3;
  });
}

await report('failover', 'Failover: kill -9 of the leader, 3 managers and 2 workers', measure);

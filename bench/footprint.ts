/** Memory and CPU time of idle daemons: three managers and two workers that have nothing to do. */
import { TestCluster, type TestDaemon } from '../test/support/cluster.ts';
import { cpuSeconds, residentMb } from './support/process-usage.ts';
import { report, type Findings } from './support/report.ts';
import { worst } from './support/statistics.ts';
import { pause } from './support/waiting.ts';

const SETTLE_MS = 30_000;
const WATCH_MS = 20_000;

async function measure(): Promise<Findings> {
  const cluster = await TestCluster.start({ managers: 3, workers: 2, managerRuntime: 'none' });
  try {
    await pause(SETTLE_MS);
    const memory = (daemons: readonly TestDaemon[]): number => worst(daemons.map(({ pid }) => residentMb(pid)));
    const managers = memory(cluster.managers);
    const workers = memory(cluster.workers);
    const before = cluster.all.map(({ pid }) => cpuSeconds(pid));
    await pause(WATCH_MS);
    const shares = cluster.all.map(({ pid }, i) => {
      const seconds = cpuSeconds(pid) - (before[i] as number);
      return (seconds / (WATCH_MS / 1000)) * 100;
    });
    const count = cluster.managers.length;
    return {
      figures: [
        { what: 'manager, resident memory', value: managers, unit: 'MB', limit: 130 },
        { what: 'worker, resident memory', value: workers, unit: 'MB', limit: 90 },
        { what: 'manager, CPU of one core', value: worst(shares.slice(0, count)), unit: '%' },
        { what: 'worker, CPU of one core', value: worst(shares.slice(count)), unit: '%' },
      ],
      notes: [
        `Three managers (one of them leading) and two workers (process driver), ${SETTLE_MS / 1000} s after the start; the largest of each kind. CPU over ${WATCH_MS / 1000} s.`,
      ],
    };
  } finally {
    await cluster.close();
  }
}

await report('footprint', 'Footprint: idle daemons', measure);

/** What a new service costs our manager, per task, and how that grows with the number of tasks. */
import { getText } from '../support/http-load.ts';
import { residentMb } from '../support/process-usage.ts';
import type { Figure } from '../support/report.ts';
import type { Arena } from './arena.ts';

const since = (start: number): number => (performance.now() - start) / 1000;

export async function costPerTask(arena: Arena, sizes: readonly number[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const tasks of sizes) {
    const { started } = arena.counts;
    const before = await used(arena);
    const from = performance.now();
    const name = await arena.create(tasks);
    await arena.counted('all tasks started', (counts) => counts.started >= started + tasks);
    await arena.running(name, tasks);
    const seconds = since(from);
    const after = await used(arena);
    const perTask = (of: (counters: Used) => number): number => (of(after) - of(before)) / tasks;
    const what = `${tasks.toLocaleString('en')} tasks`;
    figures.push(
      { what: `${what}: all running`, value: seconds, unit: 's' },
      { what: `${what}: CPU time per task`, value: perTask(({ cpu }) => cpu) * 1000, unit: 'ms' },
      { what: `${what}: log entries per task`, value: perTask(({ entries }) => entries), unit: '' },
      { what: `${what}: disk syncs per task`, value: perTask(({ syncs }) => syncs), unit: '' },
      { what: `${what}: bytes logged per task`, value: perTask(({ bytes }) => bytes), unit: 'bytes' },
      { what: `${what}: manager memory`, value: residentMb(arena.contender.pid), unit: 'MB' },
    );
    const removedFrom = performance.now();
    await arena.remove(name);
    figures.push({ what: `${what}: removed again`, value: since(removedFrom), unit: 's' });
  }
  return figures;
}

interface Used {
  readonly cpu: number;
  readonly entries: number;
  readonly syncs: number;
  readonly bytes: number;
}

async function used(arena: Arena): Promise<Used> {
  const metrics = await getText(arena.contender.socket, '/metrics');
  const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return {
    cpu: arena.managerCpu,
    entries: read('swarmd_raft_commit_index'),
    syncs: read('swarmd_raft_fsyncs'),
    bytes: read('swarmd_raft_log_written_bytes'),
  };
}

import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import type { CallContext } from '../../../../src/common/rpc.ts';
import { UsageBook } from '../../../../src/manager/usage/usage-book.ts';
import { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { TaskUsage, type UsageClient } from '../../../../src/proto/generated/docker/swarmkit/v1/usage.ts';
import { localStore } from '../../../support/local-store.ts';

let clock: FakeClock;
let book: UsageBook;

const report = (nodeId: string, ...taskIds: readonly string[]): void => {
  const tasks = taskIds.map((taskId) => TaskUsage.fromPartial({ taskId, nanoCpus: 5, memoryBytes: 6, pids: 7 }));
  void book.methods.reportUsage.handle({ tasks }, { caller: { nodeId } } as CallContext);
};
const ids = (usages: readonly TaskUsage[]): readonly string[] => usages.map(({ taskId }) => taskId);

beforeEach(async () => {
  clock = new FakeClock();
  const { store } = localStore(clock);
  book = new UsageBook({ store, clock, leader: () => undefined });
  await store.update((tx) => {
    for (const [id, nodeId] of [
      ['t1', 'n1'],
      ['t2', 'n2'],
    ]) {
      tx.task.create(Task.fromPartial({ id, nodeId, status: { state: TaskState.RUNNING } }));
    }
  });
});

describe('what tasks use', () => {
  it('is asked for while somebody looks, and some time after', async () => {
    const asked: (number | undefined)[] = [];
    book.onChange(() => asked.push(book.intervalMs));
    expect(book.intervalMs).toBeUndefined();
    const reading = book.read();
    report('n1', 't1');
    report('n2', 't2');
    await clock.advance(100);
    expect(ids(await reading)).toEqual(['t1', 't2']);
    await clock.advance(8_000);
    report('n1', 't1');
    report('n2', 't2');
    expect(ids(await book.read())).toEqual(['t1', 't2']);
    await clock.advance(9_000);
    expect(asked).toEqual([1_000]);
    await clock.advance(2_000);
    expect(asked).toEqual([1_000, undefined]);
  });

  it('is told without the nodes that do not report, which are waited for only at first', async () => {
    const reading = book.read();
    await clock.advance(1_000);
    report('n1', 't1');
    await clock.advance(2_000);
    expect(ids(await reading)).toEqual(['t1']);
    report('n1', 't1');
    expect(ids(await book.read())).toEqual(['t1']);
  });

  it('is forgotten when it is old', async () => {
    const reading = book.read();
    report('n1', 't1');
    report('n2', 't2');
    await clock.advance(100);
    await reading;
    await clock.advance(3_000);
    report('n1', 't1');
    await clock.advance(2_000);
    expect(ids(await book.read())).toEqual(['t1']);
  });

  it('is believed of own tasks only, and only when asked for', async () => {
    report('n1', 't1');
    const reading = book.read();
    report('n1', 't2', 'nosuch');
    await clock.advance(3_000);
    expect(await reading).toEqual([]);
  });

  it('comes from the leader on other managers', async () => {
    const tasks = [TaskUsage.fromPartial({ taskId: 't9' })];
    const leader = {
      readUsage: (_request: unknown, _metadata: unknown, _options: unknown, done: (e: null, r: object) => void) =>
        done(null, { tasks }),
    } as unknown as UsageClient;
    const other = new UsageBook({ store: localStore(clock).store, clock, leader: () => leader });
    expect(await other.read()).toEqual(tasks);
    expect(other.intervalMs).toBeUndefined();
    const call = other.methods.readUsage.handle({}, { signal: new AbortController().signal } as CallContext);
    await expect(call).rejects.toThrow('this manager does not lead any more');
  });
});

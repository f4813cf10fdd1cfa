import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TaskStatus, type TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { Reporter, type SendStatuses } from '../../../src/worker/reporter.ts';

const status = (state: number): TaskStatus => TaskStatus.fromPartial({ state: state as TaskState });
const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** What is reported in a turn is sent in the next. */
const turn = async (): Promise<void> => {
  await oneTurn();
  await oneTurn();
};

/** A session that answers when it is told to. */
class Line {
  readonly calls: (readonly (readonly [string, number])[])[] = [];
  #answer: ((error?: Error) => void)[] = [];

  readonly send: SendStatuses = (updates) => {
    this.calls.push(updates.map((update) => [update.taskId, update.status?.state ?? -1] as const));
    return new Promise((resolve, reject) => {
      this.#answer.push((error) => (error ? reject(error) : resolve()));
    });
  };

  async answer(error?: Error): Promise<void> {
    this.#answer.shift()?.(error);
    await turn();
  }
}

describe('the reporter', () => {
  it('puts what happens at the same moment into one call', async () => {
    const line = new Line();
    const reporter = new Reporter();
    reporter.attach(line.send);
    reporter.report('a', status(1));
    reporter.report('b', status(2));
    await turn();
    expect(line.calls).toEqual([
      [
        ['a', 1],
        ['b', 2],
      ],
    ]);
  });

  it('says once how a task is that passes through several states in a turn', async () => {
    const line = new Line();
    const reporter = new Reporter();
    reporter.attach(line.send);
    for (const state of [1, 2, 3]) {
      reporter.report('a', status(state));
      await Promise.resolve();
    }
    await turn();
    expect(line.calls).toEqual([[['a', 3]]]);
  });

  it('makes no call when the task is gone in the same turn', async () => {
    const line = new Line();
    const reporter = new Reporter();
    reporter.attach(line.send);
    reporter.report('a', status(1));
    await Promise.resolve();
    reporter.forget('a');
    await turn();
    expect(line.calls).toEqual([]);
  });

  it('sends only the newest status that gathered while a call was under way', async () => {
    const line = new Line();
    const reporter = new Reporter();
    reporter.attach(line.send);
    reporter.report('a', status(1));
    await turn();
    for (const state of [2, 3, 4]) reporter.report('a', status(state));
    await line.answer();
    expect(line.calls).toEqual([[['a', 1]], [['a', 4]]]);
  });

  it('tries again in the next session what was not accepted, unless something newer came', async () => {
    const first = new Line();
    const reporter = new Reporter();
    reporter.attach(first.send);
    reporter.report('a', status(1));
    reporter.report('b', status(1));
    await turn();
    reporter.report('b', status(2));
    await first.answer(new Error('session ended'));
    reporter.detach();
    expect(reporter.isAccepted('a')).toBe(false);
    const second = new Line();
    reporter.attach(second.send);
    await turn();
    expect(new Map(second.calls[0])).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
    await second.answer();
    expect(reporter.isAccepted('a')).toBe(true);
  });

  it('says when the newest status is with the manager', async () => {
    const accepted: string[] = [];
    const line = new Line();
    const reporter = new Reporter({ onAccepted: (id) => accepted.push(id) });
    reporter.attach(line.send);
    reporter.report('a', status(1));
    await turn();
    reporter.report('a', status(2));
    await line.answer();
    expect(accepted).toEqual([]);
    await line.answer();
    expect(accepted).toEqual(['a']);
  });

  it('never sends an older status after a newer one, whatever calls fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ task: fc.constantFrom('a', 'b'), fails: fc.boolean() }), { maxLength: 30 }),
        async (events) => {
          const line = new Line();
          const reporter = new Reporter();
          let state = 0;
          for (const { task, fails } of events) {
            reporter.attach(line.send);
            reporter.report(task, status(++state));
            await turn();
            await line.answer(fails ? new Error('lost') : undefined);
          }
          for (const task of ['a', 'b']) {
            const sent = line.calls.flatMap((call) => call.filter(([id]) => id === task).map(([, s]) => s));
            expect(sent).toEqual([...sent].sort((x, y) => x - y));
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

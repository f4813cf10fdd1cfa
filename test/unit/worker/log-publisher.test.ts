import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { timestampOfMs } from '../../../src/common/time.ts';
import { LogStream, type LogMessage } from '../../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { logOptionsOf } from '../../../src/worker/log-publisher.ts';
import { AgentRig } from '../../support/agent-rig.ts';
import { eventually } from '../../support/eventually.ts';
import type { FakeManager } from '../../support/fake-manager.ts';
import { assignedTask } from '../../support/worker-builders.ts';

let rig: AgentRig;
let manager: FakeManager;

const printing = (id: string, service: string, ...lines: readonly string[]) => ({
  $case: 'task' as const,
  value: assignedTask(id, { service, env: [`SCRIPT_LOG=${lines.join('\n')}`] }),
});
const running = (...ids: readonly string[]): Promise<unknown> =>
  eventually(() => ids.every((id) => manager.lastStatus(id)?.state === TaskState.RUNNING));
const texts = (lines: readonly LogMessage[]): readonly string[] =>
  lines.map(({ context, data }) => `${context?.taskId}: ${Buffer.from(data).toString()}`).sort();

beforeEach(async () => {
  rig = new AgentRig();
  manager = await rig.manager();
  rig.start();
});
afterEach(() => rig.close());

describe('publishing logs', () => {
  it('sends the lines of all tasks of a service, then closes', async () => {
    manager.assign(printing('t1', 'web', 'a', 'b'), printing('t2', 'web', 'c'), printing('t3', 'db', 'd'));
    await running('t1', 't2', 't3');
    const subscription = manager.subscribe('s', { serviceIds: ['web-id'] });
    await eventually(() => subscription.isClosed);
    expect(texts(subscription.lines)).toEqual(['t1: a\n', 't1: b\n', 't2: c\n']);
    expect(subscription.lines[0]).toMatchObject({
      context: { nodeId: 'node1', serviceId: 'web-id' },
      stream: LogStream.STDOUT,
    });
  });

  it('sends the last lines only when asked for a tail', async () => {
    manager.assign(printing('t1', 'web', 'a', 'b', 'c'));
    await running('t1');
    const subscription = manager.subscribe('s', { taskIds: ['t1'] }, { tail: -3 });
    await eventually(() => subscription.isClosed);
    expect(texts(subscription.lines)).toEqual(['t1: b\n', 't1: c\n']);
  });

  it('follows tasks that start later, until it is told to stop', async () => {
    manager.assign(printing('t1', 'web', 'a'));
    await running('t1');
    const subscription = manager.subscribe('s', { serviceIds: ['web-id'] }, { follow: true });
    await eventually(() => subscription.lines.length === 1);
    manager.assign(printing('t2', 'web', 'late'));
    await eventually(() => subscription.lines.length === 2);
    expect(texts(subscription.lines)).toEqual(['t1: a\n', 't2: late\n']);
    expect(subscription.isClosed).toBe(false);
    subscription.close();
    await eventually(() => subscription.isClosed);
  });

  it('sends all that tasks print which start later, however few lines of before are asked for', async () => {
    manager.assign(printing('t1', 'web', 'a', 'b'));
    await running('t1');
    const subscription = manager.subscribe('s', { serviceIds: ['web-id'] }, { follow: true, tail: -2 });
    await eventually(() => subscription.lines.length === 1);
    manager.assign(printing('t2', 'web', 'late', 'later'));
    await eventually(() => subscription.lines.length === 3);
    expect(texts(subscription.lines)).toEqual(['t1: b\n', 't2: late\n', 't2: later\n']);
    subscription.close();
    await eventually(() => subscription.isClosed);
  });

  it('answers at once when it has nothing of what is asked for', async () => {
    const subscription = manager.subscribe('s', { serviceIds: ['other'] });
    await eventually(() => subscription.isClosed);
    expect(subscription.lines).toEqual([]);
  });

  it('leaves the session alone when a subscription makes no sense', async () => {
    manager.assign(printing('t1', 'web', 'a'));
    await running('t1');
    manager.subscribe('bad', { taskIds: ['t1'] }, { tail: 5 });
    const good = manager.subscribe('good', { taskIds: ['t1'] });
    await eventually(() => good.isClosed);
    expect(manager.registrations).toHaveLength(1);
  });
});

describe('what a subscription asks for', () => {
  it('reads 0 as all lines, −1 as none, −11 as ten', () => {
    const tail = (n: number): number | undefined => logOptionsOf({ streams: [], follow: false, tail: n }).tail;
    expect([0, -1, -11].map(tail)).toEqual([undefined, 0, 10]);
    expect(() => tail(3)).toThrow('log tail 3');
  });

  it('takes no streams for both, and since as a time', () => {
    const options = logOptionsOf({ streams: [LogStream.STDERR], follow: true, tail: 0, since: timestampOfMs(1500) });
    expect(options).toMatchObject({ stdout: false, stderr: true, follow: true, sinceMs: 1500 });
    expect(logOptionsOf(undefined)).toMatchObject({ stdout: true, stderr: true, follow: false, sinceMs: 0 });
  });
});

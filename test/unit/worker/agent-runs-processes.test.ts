/** The whole worker half with the process driver, against a manager on loopback. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/common/log.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { Agent } from '../../../src/worker/agent.ts';
import { ProcessDriver } from '../../../src/worker/drivers/process/process-driver.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeManager } from '../../support/fake-manager.ts';
import { plainConnector } from '../../support/plain-connector.ts';
import { assignedTask } from '../../support/worker-builders.ts';

let dir: string;
let manager: FakeManager;
let abort: AbortController;
let running: Promise<void>;

const driver = (): ProcessDriver =>
  new ProcessDriver({
    directory: path.join(dir, 'tasks'),
    privateDirectory: path.join(dir, 'private'),
    engineVersion: 'test',
    log: silentLogger,
  });

const startAgent = (): void => {
  abort = new AbortController();
  running = new Agent({
    nodeId: 'node1',
    stateDir: path.join(dir, 'state'),
    driver: driver(),
    connector: plainConnector(),
    managers: [manager.address],
    log: silentLogger,
  }).run(abort.signal);
};

const stopAgent = async (): Promise<void> => {
  abort.abort();
  await running;
};

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'swarmd-agent-'));
  manager = await FakeManager.start();
});

afterEach(async () => {
  await stopAgent();
  await manager.stop();
  const all = driver();
  for (const { taskId } of await all.leftovers()) await all.removeLeftover(taskId);
  rmSync(dir, { recursive: true, force: true });
});

describe('the agent with the process driver', () => {
  it('runs an assigned command and reports each step', async () => {
    manager.want({ $case: 'task', value: assignedTask('t1') });
    startAgent();
    await eventually(() => manager.lastStatus('t1')?.state === TaskState.RUNNING);
    const status = manager.lastStatus('t1');
    expect(status?.message).toBe('started');
    expect(status?.runtimeStatus?.value.pid).toBeGreaterThan(0);
  });

  it('reports the end of a command with its exit code', async () => {
    manager.want({ $case: 'task', value: assignedTask('t1', { script: 'exit 7' }) });
    startAgent();
    await eventually(() => manager.lastStatus('t1')?.state === TaskState.FAILED);
    expect(manager.lastStatus('t1')).toMatchObject({ err: 'task: non-zero exit (7)' });
    expect(manager.lastStatus('t1')?.runtimeStatus?.value.exitCode).toBe(7);
  });

  it('stops a task when told so, and removes it when it is withdrawn', async () => {
    manager.want({ $case: 'task', value: assignedTask('t1') });
    startAgent();
    await eventually(() => manager.lastStatus('t1')?.state === TaskState.RUNNING);
    manager.assign({ $case: 'task', value: assignedTask('t1', { desired: 'SHUTDOWN', version: 2 }) });
    await eventually(() => manager.lastStatus('t1')?.state === TaskState.SHUTDOWN);
    manager.withdraw('t1');
    const all = driver();
    await expect.poll(async () => all.leftovers()).toEqual([]);
  });

  it('takes a running process up again after a restart, and only then notices its end', async () => {
    manager.want({ $case: 'task', value: assignedTask('t1', { script: 'sleep 1.5; exit 3' }) });
    startAgent();
    await eventually(() => manager.lastStatus('t1')?.state === TaskState.RUNNING);
    const pid = manager.lastStatus('t1')?.runtimeStatus?.value.pid;
    await stopAgent();
    startAgent();
    await eventually(() => manager.lastStatus('t1')?.state === TaskState.FAILED);
    expect(manager.lastStatus('t1')?.runtimeStatus?.value).toMatchObject({ pid, exitCode: 3 });
    expect(manager.states('t1').filter((state) => state === TaskState.STARTING).length).toBeLessThanOrEqual(1);
  });
});

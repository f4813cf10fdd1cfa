/** The agent as a process that is killed with -9 at any time: its tasks, their logs and their exit codes stay. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/common/log.ts';
import { durationOfMs } from '../../../src/common/time.ts';
import {
  RestartPolicy_RestartCondition as Condition,
  TaskState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { ProcessDriver } from '../../../src/worker/drivers/process/process-driver.ts';
import { identityOf } from '../../../src/worker/process-identity.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeManager } from '../../support/fake-manager.ts';
import { assignedTask, type TaskGiven } from '../../support/worker-builders.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../support/agent-process.mjs');

let dir: string;
let manager: FakeManager;
const agents: ChildProcess[] = [];

const task = (id: string, given: TaskGiven) => ({ $case: 'task' as const, value: assignedTask(id, given) });
const pidOf = (id: string): number => manager.lastStatus(id)?.runtimeStatus?.value.pid ?? 0;
const inState = (id: string, state: TaskState): Promise<unknown> =>
  eventually(() => manager.lastStatus(id)?.state === state, 15_000);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function startAgent(): ChildProcess {
  const agent = spawn(process.execPath, [PROGRAM, dir, manager.address], { stdio: ['ignore', 'inherit', 'inherit'] });
  agents.push(agent);
  return agent;
}

async function kill(agent: ChildProcess): Promise<void> {
  if (agent.exitCode !== null || agent.signalCode !== null) return;
  const gone = new Promise((resolve) => agent.once('exit', resolve));
  agent.kill('SIGKILL');
  await gone;
}

async function published(id: string, count: number): Promise<readonly string[]> {
  const subscription = manager.subscribe(`logs of ${id} ${Math.random()}`, { taskIds: [id] }, { follow: true });
  await eventually(() => subscription.lines.length >= count, 15_000);
  return subscription.lines.map(({ data }) => Buffer.from(data).toString().trimEnd());
}

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'swarmd-killed-'));
  manager = await FakeManager.start();
});

afterEach(async () => {
  for (const agent of agents.splice(0)) await kill(agent);
  await manager.stop();
  const options = { directory: path.join(dir, 'tasks'), privateDirectory: path.join(dir, 'private') };
  const driver = new ProcessDriver({ ...options, engineVersion: 'test', log: silentLogger });
  for (const { taskId } of await driver.leftovers()) await driver.removeLeftover(taskId);
  rmSync(dir, { recursive: true, force: true });
});

describe('an agent killed with -9', () => {
  it('finds its running process again, and none of its output is lost or doubled', async () => {
    manager.want(task('t1', { script: 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done' }));
    const first = startAgent();
    await inState('t1', TaskState.RUNNING);
    const pid = pidOf('t1');
    await pause(300);
    await kill(first);
    await pause(300);
    expect(identityOf(pid)).toBeDefined();
    startAgent();
    await eventually(() => manager.registrations.length === 2, 15_000);
    const lines = await published('t1', 50);
    expect(lines.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, n) => String(n + 1)));
    expect(pidOf('t1')).toBe(pid);
    expect(manager.states('t1').filter((state) => state === TaskState.PREPARING).length).toBeLessThanOrEqual(1);
  });

  it('learns the exit code of a process that ended while nobody watched', async () => {
    manager.want(task('t1', { script: 'sleep 1; exit 23' }));
    const first = startAgent();
    await inState('t1', TaskState.RUNNING);
    await kill(first);
    await pause(1200);
    startAgent();
    await inState('t1', TaskState.FAILED);
    expect(manager.lastStatus('t1')).toMatchObject({ err: 'task: non-zero exit (23)' });
  });

  it('stops and removes what was withdrawn while it was gone', async () => {
    manager.want(task('t1', {}), task('t2', {}));
    const first = startAgent();
    await inState('t1', TaskState.RUNNING);
    await inState('t2', TaskState.RUNNING);
    const pids = [pidOf('t1'), pidOf('t2')];
    await kill(first);
    manager.forget('t1');
    startAgent();
    await eventually(() => identityOf(pids[0] ?? 0) === undefined, 15_000);
    expect(identityOf(pids[1] ?? 0)).toBeDefined();
  });

  it('never leaves two processes of one task, whenever it is killed during a start', async () => {
    const marker = path.join(dir, 'starts');
    manager.want(task('t1', { script: `echo $$ >> ${marker}; exec sleep 1000` }));
    for (const ms of [250, 300, 350, 400, 450]) {
      const agent = startAgent();
      await pause(ms);
      await kill(agent);
    }
    startAgent();
    await inState('t1', TaskState.RUNNING);
    await pause(200);
    expect(readFileSync(marker, 'utf8').trim().split('\n')).toEqual([String(pidOf('t1'))]);
  }, 40_000);

  it('restarts what ends while it is cut off, over its own death, and tells when a manager is back', async () => {
    const restart = { condition: Condition.ANY, delay: durationOfMs(100) };
    const marker = path.join(dir, 'runs');
    const runs = (): number => (existsSync(marker) ? readFileSync(marker, 'utf8').trim().split('\n').length : 0);
    const given: TaskGiven = { script: `sleep 0.4; echo x >> ${marker}; exit 1`, restart };
    manager.want(task('t1', given));
    const first = startAgent();
    await inState('t1', TaskState.RUNNING);
    await manager.stop();
    const before = runs();
    await eventually(() => runs() > before + 1, 15_000);
    await kill(first);
    startAgent();
    await eventually(() => runs() > before + 3, 15_000);
    const back = await FakeManager.start({ port: Number(manager.address.split(':')[1]) });
    back.want(task('t1', given));
    manager = back;
    await eventually(() => (back.statuses.get('t1') ?? []).length > 0, 15_000);
    expect(back.statuses.get('t1')?.[0]?.message).toMatch(/run again \d+ times on the node/);
  }, 40_000);

  it('needs little memory', async () => {
    manager.want(task('t1', {}));
    const agent = startAgent();
    await inState('t1', TaskState.RUNNING);
    await pause(500);
    const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1]);
    console.info(`agent with one task: ${Math.round(rssKb / 1024)} MB`);
    expect(rssKb).toBeLessThan(90 * 1024);
  });
});

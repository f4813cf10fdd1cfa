import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SwarmError } from '../../../src/common/errors.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { TaskEndedError } from '../../../src/worker/drivers/task-ended-error.ts';
import { consequence, isTerminal, nextStep, type Outcome } from '../../../src/worker/next-state.ts';

const STATES = Object.values(TaskState).filter((state) => state >= 0 && state !== TaskState.REMOVE);
const DESIRED = [TaskState.READY, TaskState.RUNNING, TaskState.COMPLETE, TaskState.SHUTDOWN, TaskState.REMOVE];
const OUTCOMES: readonly Outcome[] = [
  { kind: 'done' },
  { kind: 'exited', exit: { exitCode: 0, reason: '' } },
  { kind: 'exited', exit: { exitCode: 137, reason: 'out of memory' } },
  { kind: 'failed', error: new SwarmError('internal', 'broken') },
  { kind: 'failed', error: new SwarmError('unavailable', 'later') },
  { kind: 'failed', error: new Error('a bug') },
];

/** Follows a task with outcomes chosen by `choose` until it rests; returns all states on the way. */
function life(state: TaskState, desired: TaskState, choose: (n: number) => Outcome): TaskState[] {
  const states = [state];
  for (let n = 0; n < 50; n++) {
    const now = states.at(-1) as TaskState;
    const step = nextStep(now, desired);
    if (step.kind === 'rest') return states;
    if (step.kind === 'move') states.push(step.state);
    else {
      const chosen = choose(n);
      const outcome: Outcome = step.call === 'wait' || chosen.kind !== 'exited' ? chosen : { kind: 'done' };
      const result = consequence(
        now,
        step.call,
        step.call === 'wait' && outcome.kind === 'done'
          ? { kind: 'exited', exit: { exitCode: 0, reason: '' } }
          : outcome,
      );
      if (result.kind === 'move') states.push(result.state);
    }
  }
  return states;
}

describe('the life of a task', () => {
  it('never goes back, never beyond what is wanted, and ends as SHUTDOWN when it was asked to stop', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STATES),
        fc.constantFrom(...DESIRED),
        fc.array(fc.constantFrom(...OUTCOMES), { minLength: 1 }),
        (state, desired, outcomes) => {
          const states = life(state, desired, (n) => outcomes[n % outcomes.length] as Outcome);
          states.forEach((next, index) => {
            const before = states[index - 1];
            if (before === undefined) return;
            expect(next).toBeGreaterThanOrEqual(before);
            if (next <= TaskState.RUNNING) expect(next).toBeLessThanOrEqual(desired);
            if (desired >= TaskState.SHUTDOWN) expect(next).toBe(TaskState.SHUTDOWN);
            expect(next).not.toBe(TaskState.REMOVE);
          });
        },
      ),
    );
  });

  it('goes through every state once when all is well', () => {
    const states = life(TaskState.ASSIGNED, TaskState.RUNNING, () => ({ kind: 'done' }));
    expect(states).toEqual([
      TaskState.ASSIGNED,
      TaskState.ACCEPTED,
      TaskState.PREPARING,
      TaskState.READY,
      TaskState.STARTING,
      TaskState.RUNNING,
      TaskState.COMPLETE,
    ]);
  });

  it('waits at READY while no more is wanted', () => {
    expect(life(TaskState.ASSIGNED, TaskState.READY, () => ({ kind: 'done' })).at(-1)).toBe(TaskState.READY);
  });

  it('rejects what fails before it was to start, and fails what fails later', () => {
    const failed: Outcome = { kind: 'failed', error: new SwarmError('internal', 'no such image') };
    expect(consequence(TaskState.PREPARING, 'prepare', failed)).toMatchObject({
      state: TaskState.REJECTED,
      error: 'no such image',
    });
    expect(consequence(TaskState.STARTING, 'start', failed)).toMatchObject({ state: TaskState.FAILED });
  });

  it('tries again after a second when an error may pass', () => {
    const later: Outcome = { kind: 'failed', error: new SwarmError('unavailable', 'registry down') };
    expect(consequence(TaskState.PREPARING, 'prepare', later)).toEqual({
      kind: 'retry',
      afterMs: 1000,
      error: 'registry down',
    });
  });

  it('says how a task ended in the words of Docker', () => {
    const exit = (exitCode: number, reason: string): unknown =>
      consequence(TaskState.RUNNING, 'wait', { kind: 'exited', exit: { exitCode, reason } });
    expect(exit(1, '')).toMatchObject({ error: 'task: non-zero exit (1)', exitCode: 1 });
    expect(exit(137, 'out of memory')).toMatchObject({ error: 'task: non-zero exit (137): out of memory' });
    expect(exit(0, 'unhealthy container')).toMatchObject({
      state: TaskState.FAILED,
      error: 'task: unhealthy container',
    });
    expect(exit(0, '')).toMatchObject({ state: TaskState.COMPLETE, error: '', message: 'finished' });
  });

  it('keeps the exit code of a task that ended before it counted as started', () => {
    const error = new TaskEndedError({ exitCode: 3, reason: '' });
    expect(consequence(TaskState.STARTING, 'start', { kind: 'failed', error })).toMatchObject({
      state: TaskState.FAILED,
      error: 'task: non-zero exit (3)',
      exitCode: 3,
    });
  });

  it('has nothing left to do at the end', () => {
    for (const state of STATES.filter(isTerminal)) {
      for (const desired of DESIRED) expect(nextStep(state, desired)).toEqual({ kind: 'rest' });
    }
  });
});

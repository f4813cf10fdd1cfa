/** One process under its shim, whoever started it: waits for its end, stops it, kills what is left of it. */
import type { ChildProcess } from 'node:child_process';
import { watch } from 'node:fs';
import type { Clock } from '../../../common/clock.ts';
import { SwarmError } from '../../../common/errors.ts';
import { isAlive } from '../../process-identity.ts';
import type { TaskCgroup } from './task-cgroup.ts';
import { GONE, readRun, type EndedRun, type RunState, type RunningProcess } from './run-state.ts';
import type { LaunchNote } from './task-folder.ts';

/**
 * How often a process is looked at that may end without anybody telling (its shim killed), in ms: seldom when the shim is our
 * own child.
 */
const LOOK_MS = { own: 10_000, adopted: 2000 };
/** A killed process that is still there after this is stuck in the kernel, in ms. */
const KILL_PATIENCE_MS = 10_000;

export interface SupervisedRunOptions {
  readonly runDir: string;
  readonly cgroup: TaskCgroup;
  readonly clock: Clock;
}

export class SupervisedRun {
  readonly #options: SupervisedRunOptions;
  #shim: ChildProcess | undefined;

  constructor(options: SupervisedRunOptions) {
    this.#options = options;
  }

  get state(): RunState {
    return readRun(this.#options.runDir);
  }

  /** A shim this agent started tells of its end at once. */
  watchShim(shim: ChildProcess): void {
    this.#shim = shim;
  }

  /** Resolves once the process is gone; rejects with the signal's reason. */
  async ended(signal: AbortSignal): Promise<EndedRun> {
    for (;;) {
      const state = this.state;
      if (state.kind === 'ended') return state;
      if (state.kind === 'none') return GONE;
      await this.#somethingHappened(signal);
    }
  }

  /** Stop signal, grace period, then kill. Resolves once the process is gone. */
  async stop(note: LaunchNote, signal: AbortSignal): Promise<void> {
    const state = this.state;
    if (state.kind === 'running') sendSignal(state.process, note.stopSignal);
    if (await this.#endsWithin(note.stopGraceMs, signal)) return;
    await this.kill(signal);
  }

  /** Kills the process, its group and its control group. Throws unavailable when it does not die. */
  async kill(signal: AbortSignal): Promise<void> {
    this.killRest();
    if (await this.#endsWithin(KILL_PATIENCE_MS, signal)) return;
    throw new SwarmError(
      'unavailable',
      'the process was killed but is still there: it hangs in the kernel, perhaps on a disk or network share',
    );
  }

  /** Kills all that belongs to the run without waiting; nothing when there is nothing. */
  killRest(): void {
    const state = this.state;
    if (state.kind === 'running') {
      sendSignal(state.process, 'SIGKILL');
      trySignal(-state.process.pid, 'SIGKILL');
    }
    for (const pid of this.#options.cgroup.pids()) trySignal(pid, 'SIGKILL');
  }

  async #endsWithin(ms: number, signal: AbortSignal): Promise<boolean> {
    const giveUp = new AbortController();
    const onAbort = (): void => giveUp.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const cancel = this.#options.clock.setTimer(ms, () => giveUp.abort());
    try {
      await this.ended(giveUp.signal);
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      return false;
    } finally {
      cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves when the shim ended, wrote something, or it is time to look again. */
  #somethingHappened(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const shim = this.#shim?.exitCode === null && this.#shim.signalCode === null ? this.#shim : undefined;
      const watcher = shim ? undefined : tryWatch(this.#options.runDir, () => done());
      const done = (error?: Error): void => {
        cancel();
        watcher?.close();
        shim?.off('exit', onExit);
        signal.removeEventListener('abort', onAbort);
        if (error) reject(error);
        else resolve();
      };
      const onExit = (): void => done();
      const onAbort = (): void => done(signal.reason as Error);
      const cancel = this.#options.clock.setTimer(shim ? LOOK_MS.own : LOOK_MS.adopted, done);
      shim?.once('exit', onExit);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      else if (!shim && this.state.kind === 'ended') done();
    });
  }
}

function tryWatch(dir: string, onChange: () => void): { close(): void } | undefined {
  try {
    return watch(dir, onChange).on('error', () => undefined);
  } catch {
    return undefined;
  }
}

/** Never reaches another process that got the same number. */
function sendSignal(process: RunningProcess, signal: NodeJS.Signals): void {
  if (isAlive(process)) trySignal(process.pid, signal);
}

function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

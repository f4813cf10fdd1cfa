/** What the shim wrote about one run of a process, read back: not started, running, or ended and how. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isAlive, type ProcessIdentity } from '../../process-identity.ts';

export interface RunningProcess extends ProcessIdentity {
  readonly shim: ProcessIdentity;
}

export type RunState =
  | { readonly kind: 'none' }
  /** A shim has begun but not said yet which process it started. */
  | { readonly kind: 'claimed' }
  | { readonly kind: 'running'; readonly process: RunningProcess }
  /** `exitCode` is undefined when the shim was killed, so that nobody saw the end. */
  | { readonly kind: 'ended'; readonly process: RunningProcess | undefined; readonly exitCode: number | undefined };

let bootId: string | undefined;

/** Reads the run folder of a task. */
export function readRun(runDir: string): RunState {
  const claim = wholeLine(path.join(runDir, 'claim'));
  if (claim === undefined) return { kind: 'none' };
  const started = parseProcess(wholeLine(path.join(runDir, 'pid')));
  const exit = wholeLine(path.join(runDir, 'exit'));
  if (exit !== undefined) return { kind: 'ended', process: started?.process, exitCode: Number(exit) };
  if (!started) {
    return isAlive(identity(claim.split(' ')))
      ? { kind: 'claimed' }
      : { kind: 'ended', process: undefined, exitCode: undefined };
  }
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const isOurs = started.bootId === bootId && isAlive(started.process);
  // After the process is gone its shim needs a moment to write the exit code.
  const shimIsBusy = started.bootId === bootId && isAlive(started.process.shim);
  if (isOurs || shimIsBusy) return { kind: 'running', process: started.process };
  return { kind: 'ended', process: started.process, exitCode: exitAfterAll(runDir) };
}

/** Makes the folder ready for one more run of the same task. */
export function clearRun(runDir: string): void {
  // The claim goes last: while it is there nobody else starts.
  for (const name of ['exit', 'pid', 'claim']) rmSync(path.join(runDir, name), { force: true });
}

/** The shim may have finished between two looks. */
function exitAfterAll(runDir: string): number | undefined {
  const exit = wholeLine(path.join(runDir, 'exit'));
  return exit === undefined ? undefined : Number(exit);
}

/** The line of a file; undefined while it is missing or not complete. */
function wholeLine(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'latin1');
    return text.endsWith('\n') ? text.slice(0, -1) : undefined;
  } catch {
    return undefined;
  }
}

function parseProcess(line: string | undefined): { process: RunningProcess; bootId: string } | undefined {
  const words = (line ?? '').split(' ');
  const bootId = words[4];
  if (!bootId) return undefined;
  return { process: { ...identity(words), shim: identity(words.slice(2)) }, bootId };
}

const identity = ([pid = '', startTicks = '']: readonly string[]): ProcessIdentity => ({
  pid: Number(pid),
  startTicks,
});

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
  | EndedRun;

export interface EndedRun {
  readonly kind: 'ended';
  /** undefined when nobody saw the end. */
  readonly exitCode: number | undefined;
  /** Why nobody did; empty otherwise. */
  readonly unseen: string;
}

/** For a run of which nothing is there any more. */
export const GONE: EndedRun = {
  kind: 'ended',
  exitCode: undefined,
  unseen: 'nothing is left of the process on this node',
};
const REBOOTED: EndedRun = { kind: 'ended', exitCode: undefined, unseen: 'the node was restarted' };
const UNSEEN: EndedRun = {
  kind: 'ended',
  exitCode: undefined,
  unseen: 'its supervisor was killed, so the exit code is not known',
};

let bootId: string | undefined;

/** Reads the run folder of a task. */
export function readRun(runDir: string): RunState {
  const claim = wholeLine(path.join(runDir, 'claim'));
  if (claim === undefined) return { kind: 'none' };
  const started = parseProcess(wholeLine(path.join(runDir, 'pid')));
  const exit = exitOf(runDir);
  if (exit) return exit;
  if (!started) return isAlive(identity(claim.split(' '))) ? { kind: 'claimed' } : UNSEEN;
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  if (started.bootId !== bootId) return REBOOTED;
  // After the process is gone its shim needs a moment to write the exit code.
  if (isAlive(started.process) || isAlive(started.process.shim)) return { kind: 'running', process: started.process };
  // It may have finished between two looks.
  return exitOf(runDir) ?? UNSEEN;
}

/** Makes the folder ready for one more run of the same task. */
export function clearRun(runDir: string): void {
  // The claim goes last: while it is there nobody else starts.
  for (const name of ['exit', 'pid', 'claim']) rmSync(path.join(runDir, name), { force: true });
}

function exitOf(runDir: string): EndedRun | undefined {
  const exit = wholeLine(path.join(runDir, 'exit'));
  return exit === undefined ? undefined : { kind: 'ended', exitCode: Number(exit), unseen: '' };
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

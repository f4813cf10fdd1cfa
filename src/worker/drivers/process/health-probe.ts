/** Runs a health command beside the task: as its user, in its folder, with its environment; its output is not kept. */
import { spawn } from 'node:child_process';

export interface ProbeLaunch {
  readonly line: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Files to write 0 to first, so that the probe counts against the task's limits. */
  readonly joinFiles: readonly string[];
}

const JOIN_AND_RUN = 'for join in $1; do echo 0 > "$join" || exit 125; done; shift; exec "$@"';

/** True when the command ends with 0. An aborted signal kills it and everything it started. */
export function runProbe(launch: ProbeLaunch, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const args = ['-c', JOIN_AND_RUN, 'swarmd-probe', launch.joinFiles.join(' '), ...launch.line];
    const probe = spawn('/bin/sh', args, { cwd: launch.cwd, env: launch.env, stdio: 'ignore', detached: true });
    const onAbort = (): void => {
      try {
        if (probe.pid !== undefined) process.kill(-probe.pid, 'SIGKILL');
      } catch {
        // It ended in the same moment.
      }
    };
    const done = (isHealthy: boolean): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(isHealthy);
    };
    probe.once('error', () => done(false));
    probe.once('exit', (code) => done(code === 0));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

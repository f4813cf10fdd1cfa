/** The end of a task in Docker's words: "task: non-zero exit (137): reason". */
import type { ExitStatus } from './drivers/driver.ts';

export function exitText(exit: ExitStatus): string {
  const code = exit.exitCode === 0 ? 'task' : `task: non-zero exit (${exit.exitCode})`;
  return exit.reason === '' ? code : `${code}: ${exit.reason}`;
}

/** What the driver needs of a task's control group, whichever version it is. */
import type { ResourceUse } from '../driver.ts';
import type { ProcessLimits } from './launch-plan.ts';

export interface TaskCgroup {
  /** Makes the group with its limits. Returns the files a process writes 0 to in order to join. */
  make(limits: ProcessLimits): readonly string[];
  /** The same files of a group that was made before; none when there is none. */
  joinFiles(): readonly string[];
  /** Processes killed because the memory limit was reached. */
  outOfMemoryKills(): number;
  usage(): ResourceUse | undefined;
  pids(): readonly number[];
  /** Removes the group once it is empty; waits a little for that. */
  remove(): Promise<void>;
}

/** Thrown by `start` and `restart` when the task ended, or turned unhealthy, before it counted as started. */
import { SwarmError } from '../../common/errors.ts';
import { exitText } from '../exit-text.ts';
import type { ExitStatus } from './driver.ts';

export class TaskEndedError extends SwarmError {
  readonly exit: ExitStatus;

  constructor(exit: ExitStatus) {
    super('failedPrecondition', exitText(exit));
    this.exit = exit;
  }
}

/** A running script: it keeps its state from one directive to the next. */
import type { Directive } from './data-file.ts';

export interface Script {
  /** Carries out a directive and returns its output; throws CommandError for an error that is a result. */
  run(directive: Directive): string;
}

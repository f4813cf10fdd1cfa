/** Which handler plays which case file (by file name without .json). */
import type { CaseHandler } from './case.ts';
import { constraintMatch } from './constraint-match.ts';
import { constraintParse } from './constraint-parse.ts';
import { genericResources } from './generic-resources.ts';
import { scheduler } from './scheduler.ts';

export const HANDLERS: Readonly<Record<string, CaseHandler>> = {
  constraint_parse: constraintParse,
  constraint_match: constraintMatch,
  generic_resources: genericResources,
  scheduler,
};

/** Which handler plays which case file (by file name without .json). */
import type { CaseHandler } from './case.ts';
import { agent } from './agent.ts';
import { constraintEnforcer } from './constraint-enforcer.ts';
import { constraintMatch } from './constraint-match.ts';
import { constraintParse } from './constraint-parse.ts';
import { genericResources } from './generic-resources.ts';
import { orchestrators } from './orchestrators.ts';
import { ports } from './ports.ts';
import { reaper } from './reaper.ts';
import { restart } from './restart.ts';
import { scheduler } from './scheduler.ts';
import { taskDirty } from './task-dirty.ts';
import { updater } from './updater.ts';
import { validation } from './validation.ts';

export const HANDLERS: Readonly<Record<string, CaseHandler>> = {
  constraint_parse: constraintParse,
  constraint_match: constraintMatch,
  generic_resources: genericResources,
  scheduler,
  orchestrators,
  task_dirty: taskDirty,
  updater,
  restart,
  reaper,
  constraint_enforcer: constraintEnforcer,
  ports,
  validation,
  agent,
};

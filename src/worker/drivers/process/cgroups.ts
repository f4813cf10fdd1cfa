/**
 * Limits for processes by Linux control groups, version 1 or 2, where this agent is allowed to make them. Every task gets
 * a group below `swarmd`; joining is left to the shim, so that no process ever runs outside its limits.
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errorText } from '../../../common/errors.ts';
import { isEmptyGroup, read, tryRemove } from './cgroup-files.ts';
import { CgroupV1 } from './cgroup-v1.ts';
import { CgroupV2 } from './cgroup-v2.ts';
import type { TaskCgroup } from './task-cgroup.ts';

const PARENT = 'swarmd';
const V1_CONTROLLERS = ['memory', 'cpu', 'cpuacct', 'pids'] as const;
const V2_CONTROLLERS = ['cpu', 'memory', 'pids'] as const;

export interface Cgroups {
  readonly version: 'v1' | 'v2' | 'none';
  /** What can be limited: cpu, memory, pids; empty when nothing can. */
  readonly controllers: readonly string[];
  /** Why something is missing; empty otherwise. */
  readonly problem: string;
  /** The group of a task, whether it exists or not. */
  group(taskId: string): TaskCgroup;
}

/** Finds out what this agent may do below `root`. */
export function detectCgroups(root = '/sys/fs/cgroup'): Cgroups {
  if (existsSync(path.join(root, 'cgroup.controllers'))) return detectV2(root);
  return detectV1(root);
}

function detectV2(root: string): Cgroups {
  const parent = path.join(root, PARENT);
  try {
    tryOut(root, parent);
    const enabled = V2_CONTROLLERS.filter((controller) => enable(root, controller) && enable(parent, controller));
    return {
      version: 'v2',
      controllers: enabled,
      problem: missing(V2_CONTROLLERS, enabled),
      group: (taskId) => new CgroupV2(path.join(parent, taskId)),
    };
  } catch (error) {
    return noCgroups(errorText(error));
  }
}

function enable(dir: string, controller: string): boolean {
  try {
    writeFileSync(path.join(dir, 'cgroup.subtree_control'), `+${controller}`);
  } catch {
    // Perhaps it is on already and only changing it is not allowed.
  }
  return (read(path.join(dir, 'cgroup.subtree_control')) ?? '').split(/\s+/).includes(controller);
}

function detectV1(root: string): Cgroups {
  const usable = new Map<string, string>();
  let problem = '';
  for (const controller of V1_CONTROLLERS) {
    const parent = path.join(root, controller, PARENT);
    try {
      if (!existsSync(path.join(root, controller, 'cgroup.procs'))) throw new Error(`${controller} is not mounted`);
      tryOut(path.join(root, controller), parent);
      if (isEmptyGroup(parent)) tryRemove(parent);
      usable.set(controller, parent);
    } catch (error) {
      problem ||= errorText(error);
    }
  }
  const controllers = V2_CONTROLLERS.filter((controller) => usable.has(controller));
  if (controllers.length === 0) return noCgroups(problem);
  return { version: 'v1', controllers, problem, group: (taskId) => new CgroupV1(usable, taskId) };
}

const missing = (all: readonly string[], have: readonly string[]): string => {
  const lacking = all.filter((controller) => !have.includes(controller));
  return lacking.length === 0 ? '' : `not handed out here: ${lacking.join(', ')}`;
};

export const noCgroups = (problem: string): Cgroups => ({
  version: 'none',
  controllers: [],
  problem,
  group: () => NO_GROUP,
});

const NO_GROUP: TaskCgroup = {
  make: () => [],
  joinFiles: () => [],
  outOfMemoryKills: () => 0,
  usage: () => undefined,
  pids: () => [],
  remove: () => Promise.resolve(),
};

/** Throws when this agent may not make groups below `parent` or move processes into them. */
function tryOut(root: string, parent: string): void {
  // Moving a process needs the right to take it out of where it is.
  accessSync(path.join(root, 'cgroup.procs'), constants.W_OK);
  mkdirSync(parent, { recursive: true });
  const probe = path.join(parent, `probe-${process.pid}`);
  mkdirSync(probe, { recursive: true });
  rmdirSync(probe);
  sweep(parent);
}

/** Groups nobody is in any more, of tasks whose agent went away with all it knew. Young ones may be about to be joined. */
const SWEEP_AGE_MS = 10 * 60_000;

function sweep(parent: string): void {
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    const dir = path.join(parent, entry.name);
    // A group with processes in it cannot be removed.
    if (entry.isDirectory() && Date.now() - statSync(dir).ctimeMs > SWEEP_AGE_MS) tryRemove(dir);
  }
}

/**
 * Limits for processes by Linux control groups, version 1 or 2, where this agent is allowed to make them. Every task gets
 * a group below `swarmd`; joining is left to the shim, so that no process ever runs outside its limits.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sleep, systemClock } from '../../../common/clock.ts';
import { errorText } from '../../../common/errors.ts';
import type { ResourceUse } from '../driver.ts';
import type { ProcessLimits } from './launch-plan.ts';

const PARENT = 'swarmd';
const CPU_PERIOD_US = 100_000;
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

/** Finds out what this agent may do below `root`. */
export function detectCgroups(root = '/sys/fs/cgroup'): Cgroups {
  if (existsSync(path.join(root, 'cgroup.controllers'))) return detectV2(root);
  return detectV1(root);
}

function detectV2(root: string): Cgroups {
  const parent = path.join(root, PARENT);
  try {
    mkdirSync(parent, { recursive: true });
    sweep(parent);
    const enabled = V2_CONTROLLERS.filter((controller) => enable(root, controller) && enable(parent, controller));
    if (enabled.length === 0) return noCgroups('the kernel hands out no controller here');
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
      mkdirSync(parent, { recursive: true });
      usable.set(controller, parent);
      sweep(parent);
      // It was only to see whether it can be made.
      if (isEmptyGroup(parent)) tryRemove(parent);
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

class CgroupV2 implements TaskCgroup {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  make(limits: ProcessLimits): readonly string[] {
    mkdirSync(this.#dir, { recursive: true });
    const put = (file: string, value: string): void => write(path.join(this.#dir, file), value);
    if (limits.nanoCpus > 0) put('cpu.max', `${quotaUs(limits)} ${CPU_PERIOD_US}`);
    if (limits.memoryBytes > 0) {
      put('memory.max', String(limits.memoryBytes));
      if (limits.swapBytes !== undefined)
        put('memory.swap.max', limits.swapBytes < 0 ? 'max' : String(limits.swapBytes));
    }
    if (limits.reservedMemoryBytes > 0) put('memory.low', String(limits.reservedMemoryBytes));
    if (limits.pids > 0) put('pids.max', String(limits.pids));
    return this.joinFiles();
  }

  joinFiles(): readonly string[] {
    return existing([this.#dir]);
  }

  outOfMemoryKills(): number {
    return keyed(path.join(this.#dir, 'memory.events'), 'oom_kill');
  }

  usage(): ResourceUse | undefined {
    const memory = read(path.join(this.#dir, 'memory.current'));
    if (memory === undefined) return undefined;
    return {
      cpuNs: keyed(path.join(this.#dir, 'cpu.stat'), 'usage_usec') * 1000,
      memoryBytes: Number(memory),
      pids: Number(read(path.join(this.#dir, 'pids.current')) ?? 0),
    };
  }

  pids(): readonly number[] {
    return pidsOf(this.#dir);
  }

  remove(): Promise<void> {
    return removeGroups([this.#dir], false);
  }
}

class CgroupV1 implements TaskCgroup {
  readonly #dirs: ReadonlyMap<string, string>;

  constructor(parents: ReadonlyMap<string, string>, taskId: string) {
    this.#dirs = new Map([...parents].map(([controller, parent]) => [controller, path.join(parent, taskId)]));
  }

  make(limits: ProcessLimits): readonly string[] {
    for (const dir of this.#dirs.values()) mkdirSync(dir, { recursive: true });
    if (limits.nanoCpus > 0) {
      this.#put('cpu', 'cpu.cfs_period_us', String(CPU_PERIOD_US));
      this.#put('cpu', 'cpu.cfs_quota_us', String(quotaUs(limits)));
    }
    if (limits.memoryBytes > 0) {
      this.#put('memory', 'memory.limit_in_bytes', String(limits.memoryBytes));
      const { swapBytes } = limits;
      if (swapBytes !== undefined) {
        this.#put('memory', 'memory.memsw.limit_in_bytes', String(swapBytes < 0 ? -1 : limits.memoryBytes + swapBytes));
      }
    }
    if (limits.reservedMemoryBytes > 0) {
      this.#put('memory', 'memory.soft_limit_in_bytes', String(limits.reservedMemoryBytes));
    }
    if (limits.pids > 0) this.#put('pids', 'pids.max', String(limits.pids));
    return this.joinFiles();
  }

  joinFiles(): readonly string[] {
    return existing([...this.#dirs.values()]);
  }

  outOfMemoryKills(): number {
    const dir = this.#dirs.get('memory');
    return dir === undefined ? 0 : keyed(path.join(dir, 'memory.oom_control'), 'oom_kill');
  }

  usage(): ResourceUse | undefined {
    const value = (controller: string, file: string): number | undefined => {
      const dir = this.#dirs.get(controller);
      const text = dir === undefined ? undefined : read(path.join(dir, file));
      return text === undefined ? undefined : Number(text);
    };
    const memoryBytes = value('memory', 'memory.usage_in_bytes');
    if (memoryBytes === undefined) return undefined;
    return {
      cpuNs: value('cpuacct', 'cpuacct.usage') ?? 0,
      memoryBytes,
      pids: value('pids', 'pids.current') ?? 0,
    };
  }

  pids(): readonly number[] {
    return pidsOf([...this.#dirs.values()][0] ?? '');
  }

  remove(): Promise<void> {
    return removeGroups([...this.#dirs.values()], true);
  }

  #put(controller: string, file: string, value: string): void {
    const dir = this.#dirs.get(controller);
    if (dir !== undefined) write(path.join(dir, file), value);
  }
}

const existing = (dirs: readonly string[]): readonly string[] =>
  dirs.map((dir) => path.join(dir, 'cgroup.procs')).filter((file) => existsSync(file));

const quotaUs = (limits: ProcessLimits): number => Math.max(1000, Math.round((limits.nanoCpus / 1e9) * CPU_PERIOD_US));

/** A limit this kernel does not know is left out; the node's labels say what can be limited. */
function write(file: string, value: string): void {
  try {
    writeFileSync(file, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** The number after `key` in a file of "key value" lines. */
const keyed = (file: string, key: string): number =>
  Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(read(file) ?? '')?.[1] ?? 0);

const pidsOf = (dir: string): readonly number[] =>
  (read(path.join(dir, 'cgroup.procs')) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);

/** Groups nobody is in any more, of tasks whose agent went away with all it knew. Young ones may be about to be joined. */
const SWEEP_AGE_MS = 10 * 60_000;

function sweep(parent: string): void {
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    const dir = path.join(parent, entry.name);
    // A group with processes in it cannot be removed.
    if (entry.isDirectory() && Date.now() - statSync(dir).ctimeMs > SWEEP_AGE_MS) tryRemove(dir);
  }
}

/** Killed processes need a moment to leave. */
const REMOVE_TRIES = 50;
const REMOVE_PAUSE_MS = 20;

/** In version 2 the common parent stays: it carries the settings that hand controllers down. */
async function removeGroups(dirs: readonly string[], withParents: boolean): Promise<void> {
  for (const dir of dirs) {
    for (let left = REMOVE_TRIES; left > 0 && !tryRemove(dir); left--) await sleep(systemClock, REMOVE_PAUSE_MS);
    const parent = path.dirname(dir);
    if (withParents && isEmptyGroup(parent)) tryRemove(parent);
  }
}

function tryRemove(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

const isEmptyGroup = (dir: string): boolean => {
  try {
    return !readdirSync(dir, { withFileTypes: true }).some((entry) => entry.isDirectory());
  } catch {
    return false;
  }
};

/** Reading and writing the files of control groups, whichever version. */
import { existsSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sleep, systemClock } from '../../../common/clock.ts';
import type { ProcessLimits } from './launch-plan.ts';

export const CPU_PERIOD_US = 100_000;

export const existing = (dirs: readonly string[]): readonly string[] =>
  dirs.map((dir) => path.join(dir, 'cgroup.procs')).filter((file) => existsSync(file));

export const quotaUs = (limits: ProcessLimits): number =>
  Math.max(1000, Math.round((limits.nanoCpus / 1e9) * CPU_PERIOD_US));

/** A limit this kernel does not know is left out; the node's labels say what can be limited. */
export function write(file: string, value: string): void {
  try {
    writeFileSync(file, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

export function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** The number after `key` in a file of "key value" lines. */
export const keyed = (file: string, key: string): number =>
  Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(read(file) ?? '')?.[1] ?? 0);

export const pidsOf = (dir: string): readonly number[] =>
  (read(path.join(dir, 'cgroup.procs')) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);

/** Killed processes need a moment to leave. */
const REMOVE_TRIES = 50;
const REMOVE_PAUSE_MS = 20;

/** In version 2 the common parent stays: it carries the settings that hand controllers down. */
export async function removeGroups(dirs: readonly string[], withParents: boolean): Promise<void> {
  for (const dir of dirs) {
    for (let left = REMOVE_TRIES; left > 0 && !tryRemove(dir); left--) await sleep(systemClock, REMOVE_PAUSE_MS);
    const parent = path.dirname(dir);
    if (withParents && isEmptyGroup(parent)) tryRemove(parent);
  }
}

export function tryRemove(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

export const isEmptyGroup = (dir: string): boolean => {
  try {
    return !readdirSync(dir, { withFileTypes: true }).some((entry) => entry.isDirectory());
  } catch {
    return false;
  }
};

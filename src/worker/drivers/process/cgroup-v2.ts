/** One task's group in the unified hierarchy. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { ResourceUse } from '../driver.ts';
import { CPU_PERIOD_US, existing, keyed, pidsOf, quotaUs, read, removeGroups, write } from './cgroup-files.ts';
import type { ProcessLimits } from './launch-plan.ts';
import type { TaskCgroup } from './task-cgroup.ts';

export class CgroupV2 implements TaskCgroup {
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

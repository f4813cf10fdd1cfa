/** One task's groups in the hierarchies of version 1, one per controller. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { ResourceUse } from '../driver.ts';
import { CPU_PERIOD_US, existing, keyed, pidsOf, quotaUs, read, removeGroups, write } from './cgroup-files.ts';
import type { ProcessLimits } from './launch-plan.ts';
import type { TaskCgroup } from './task-cgroup.ts';

export class CgroupV1 implements TaskCgroup {
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

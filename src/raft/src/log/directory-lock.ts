import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogLockedError, systemCode } from './errors.ts';
import { LOCK_FILE, TEMPORARY } from './segment-files.ts';

/**
 * Keeps a second process out of a directory. The file names its holder by process id, start time and boot id, so that a lock left
 * behind by a crash is recognised even if its process id is in use again.
 */
export class DirectoryLock {
  readonly #path: string;
  readonly #content: string;

  private constructor(path: string, content: string) {
    this.#path = path;
    this.#content = content;
  }

  /** Throws {@link LogLockedError} while another holder lives. */
  static acquire(directory: string): DirectoryLock {
    const path = join(directory, LOCK_FILE);
    refuseIfHeld(path);
    const content = JSON.stringify({ pid: process.pid, started: startTime(process.pid) ?? '', boot: bootId() });
    const candidate = `${path}.${String(process.pid)}${TEMPORARY}`;
    try {
      writeFileSync(candidate, content);
      for (;;) {
        try {
          // A link appears with its content, or not at all.
          linkSync(candidate, path);
          return new DirectoryLock(path, content);
        } catch (error) {
          if (systemCode(error) !== 'EEXIST') throw error;
        }
        const stale = refuseIfHeld(path);
        if (stale !== undefined) removeStale(path, stale);
      }
    } finally {
      rmSync(candidate, { force: true });
    }
  }

  release(): void {
    if (read(this.#path) === this.#content) rmSync(this.#path, { force: true });
  }
}

/** The content of a stale lock, if there is one. */
function refuseIfHeld(path: string): string | undefined {
  const held = read(path);
  if (held === undefined) return undefined;
  const pid = livingHolder(held);
  if (pid !== undefined) throw new LogLockedError(path, pid);
  return held;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The holder's process id if that very process still runs. */
function livingHolder(content: string): number | undefined {
  let holder: unknown;
  try {
    holder = JSON.parse(content);
  } catch {
    return undefined;
  }
  if (typeof holder !== 'object' || holder === null || !('pid' in holder) || typeof holder.pid !== 'number')
    return undefined;
  if ('boot' in holder && holder.boot !== bootId()) return undefined;
  const started = startTime(holder.pid);
  if (started === undefined) return isAlive(holder.pid) ? holder.pid : undefined;
  return 'started' in holder && holder.started === started ? holder.pid : undefined;
}

/** Moves the stale lock aside; if another process took the lock over meanwhile, that one is put back. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${String(process.pid)}.stale${TEMPORARY}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (read(aside) !== stale) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** When the process was started, in clock ticks since boot; undefined if there is no such process or no /proc. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The name in parentheses may hold blanks; the start time is the 20th field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

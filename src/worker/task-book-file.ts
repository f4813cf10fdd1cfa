/**
 * The task book as an append-only file of lines: `<crc32 of the rest, 8 hex digits> <JSON record>`.
 *
 * A record is handed to the kernel before the agent acts on it, so killing the agent at any moment loses nothing. The
 * disk is synced at most a second later: only a crash of the whole machine can lose that second, and then the processes
 * are gone too and the manager sends the tasks again. Damaged lines are reported and skipped; a torn last line is
 * normal after a crash. The file is rewritten (new file, sync, rename) when most of it is out of date.
 */
import {
  closeSync,
  fdatasync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { CancelTimer, Clock } from '../common/clock.ts';
import { errorText, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskStatus } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { NO_RESTARTS, type RestartHistory } from './local-restart.ts';
import type { BookEntry, TaskBook } from './task-book.ts';

const FILE_NAME = 'tasks.log';
const SYNC_DELAY_MS = 1000;
/** The file is rewritten when it has this many lines more than four per task. */
const SLACK_LINES = 1000;

/** One line. `task` is only there when it changed; protobuf values are base64. */
interface Record {
  readonly id: string;
  readonly isDeleted?: true;
  readonly task?: string;
  readonly status?: string;
  readonly isAssigned?: boolean;
  readonly restarts?: RestartHistory;
}

export interface FileTaskBookOptions {
  /** Folder that holds the file; made if missing. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export class FileTaskBook implements TaskBook {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #entries = new Map<string, BookEntry>();
  #file: number;
  #lines = 0;
  /** The file lacks a change that could not be written. */
  #isBehind = false;
  #cancelSync: CancelTimer | undefined;
  #isClosed = false;

  /** Reads what an earlier run left. Throws `unavailable` when the folder cannot be used. */
  constructor(options: FileTaskBookOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#path = path.join(options.dir, FILE_NAME);
    try {
      mkdirSync(options.dir, { recursive: true, mode: 0o711 });
      this.#load();
      this.#file = this.#rewrite();
    } catch (cause) {
      throw new SwarmError('unavailable', `cannot keep the task book in ${options.dir}: ${errorText(cause)}`, {
        cause,
      });
    }
  }

  entries(): readonly BookEntry[] {
    return [...this.#entries.values()];
  }

  put(entry: BookEntry): void {
    const { id } = entry.task;
    const before = this.#entries.get(id);
    this.#entries.set(id, entry);
    this.#append(recordOf(entry, before));
  }

  delete(taskId: string): void {
    if (this.#entries.delete(taskId)) this.#append({ id: taskId, isDeleted: true });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelSync?.();
    await new Promise<void>((resolve) => fdatasync(this.#file, () => resolve()));
    closeSync(this.#file);
  }

  #append(record: Record): void {
    if (this.#isClosed) return;
    try {
      if (this.#isBehind || this.#lines > SLACK_LINES + 4 * this.#entries.size) this.#replace();
      else this.#write(lineOf(record));
      this.#isBehind = false;
    } catch (error) {
      // A full disk must not stop tasks. The next change writes everything anew; until then a restart would see old states.
      if (!this.#isBehind) this.#log.error({ err: error, file: this.#path }, 'the task book cannot be written');
      this.#isBehind = true;
      return;
    }
    this.#cancelSync ??= this.#clock.setTimer(SYNC_DELAY_MS, () => {
      this.#cancelSync = undefined;
      fdatasync(this.#file, (error) => {
        if (error && !this.#isClosed) this.#log.error({ err: error }, 'the task book cannot be synced to disk');
      });
    });
  }

  #write(line: string): void {
    const written = writeSync(this.#file, line);
    if (written < line.length) throw new SwarmError('resourceExhausted', 'the disk is full');
    this.#lines++;
  }

  #replace(): void {
    const before = this.#file;
    this.#file = this.#rewrite();
    closeSync(before);
  }

  #load(): void {
    let text: string;
    try {
      text = readFileSync(this.#path, 'latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const lines = text.split('\n');
    // After the last newline comes nothing, or the torn line of a crash.
    const torn = lines.pop() ?? '';
    if (torn !== '')
      this.#log.info({ file: this.#path }, 'the last line of the task book was torn by a crash; dropped');
    lines.forEach((line, index) => {
      try {
        this.#apply(parseLine(line));
      } catch (error) {
        this.#log.error(
          { file: this.#path, line: index + 1, reason: errorText(error) },
          'a damaged line of the task book was skipped: the manager sends the task again, or it is stopped if no longer wanted',
        );
      }
    });
  }

  #apply(record: Record): void {
    const before = this.#entries.get(record.id);
    if (record.isDeleted) {
      this.#entries.delete(record.id);
      return;
    }
    const task = record.task === undefined ? before?.task : Task.decode(Buffer.from(record.task, 'base64'));
    const status =
      record.status === undefined ? before?.status : TaskStatus.decode(Buffer.from(record.status, 'base64'));
    if (!task || !status) throw new SwarmError('dataLoss', `nothing is known of task ${record.id}`);
    this.#entries.set(record.id, {
      task,
      status,
      isAssigned: record.isAssigned ?? before?.isAssigned ?? true,
      restarts: record.restarts ?? before?.restarts ?? NO_RESTARTS,
    });
  }

  /** Writes the present entries into a new file that takes the place of the old one; returns it open for appending. */
  #rewrite(): number {
    const next = `${this.#path}.new`;
    rmSync(next, { force: true });
    const file = openSync(next, 'a', 0o600);
    try {
      for (const entry of this.#entries.values()) {
        const line = lineOf(recordOf(entry, undefined));
        if (writeSync(file, line) < line.length) throw new SwarmError('resourceExhausted', 'the disk is full');
      }
      fsyncSync(file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    renameSync(next, this.#path);
    syncFolder(path.dirname(this.#path));
    this.#lines = this.#entries.size;
    return file;
  }
}

function syncFolder(dir: string): void {
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** What has to be written to get from `before` to `entry`. */
function recordOf(entry: BookEntry, before: BookEntry | undefined): Record {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return {
    id: entry.task.id,
    ...(entry.task !== before?.task && { task: base64(Task.encode(entry.task).finish()) }),
    ...(entry.status !== before?.status && { status: base64(TaskStatus.encode(entry.status).finish()) }),
    ...(entry.isAssigned !== before?.isAssigned && { isAssigned: entry.isAssigned }),
    ...(entry.restarts !== before?.restarts && { restarts: entry.restarts }),
  };
}

function lineOf(record: Record): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

function parseLine(line: string): Record {
  const json = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) throw new SwarmError('dataLoss', 'wrong checksum');
  return JSON.parse(json) as Record;
}

const checksum = (text: string): string => crc32(Buffer.from(text, 'latin1')).toString(16).padStart(8, '0');

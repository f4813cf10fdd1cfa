/** Reads a task's log files: the last lines, from a moment on, and further as they grow. */
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { LogLine, LogOptions } from '../driver.ts';
import { logFileName, logFileNumbers } from './log-files.ts';
import { parseRecord } from './log-record.ts';

const CHUNK_BYTES = 64 * 1024;

export interface LogGrowth {
  /** Resolves when something was written since the last call, or nothing more will be, or the signal aborted. */
  changed(signal: AbortSignal): Promise<void>;
  /** True when nothing more will be written. */
  readonly isOver: boolean;
}

/** The lines asked for, oldest first; with `follow` until the log is over or the signal aborts. */
export async function* readLogs(
  dir: string,
  options: LogOptions,
  growth: LogGrowth,
  signal: AbortSignal,
): AsyncIterable<LogLine> {
  const cursor = new LogCursor(dir);
  const wanted = (line: LogLine): boolean => options[line.stream] && line.timeMs >= options.sinceMs;
  try {
    if (options.tail === undefined) {
      for await (const line of cursor.lines()) if (wanted(line)) yield line;
    } else {
      yield* await lastLines(cursor, options.tail, wanted);
    }
    while (options.follow && !signal.aborted) {
      const wasOver = growth.isOver;
      for await (const line of cursor.lines()) if (wanted(line)) yield line;
      if (wasOver) return;
      await growth.changed(signal);
    }
  } finally {
    await cursor.close();
  }
}

async function lastLines(
  cursor: LogCursor,
  count: number,
  wanted: (line: LogLine) => boolean,
): Promise<readonly LogLine[]> {
  let kept: LogLine[] = [];
  for await (const line of cursor.lines()) {
    if (!wanted(line)) continue;
    kept.push(line);
    // Cut now and then rather than at each line.
    if (kept.length > 2 * count + 1024) kept = kept.slice(kept.length - count);
  }
  return count === 0 ? [] : kept.slice(-count);
}

/** A place in the row of files, kept while they are rotated. */
class LogCursor {
  readonly #dir: string;
  #number: number | undefined;
  #file: FileHandle | undefined;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** What was written since the last call. */
  async *lines(): AsyncIterable<LogLine> {
    for (;;) {
      if (!this.#file && !(await this.#openNext())) return;
      yield* this.#readToEnd();
      // Only a file that has a successor is finished; then what is left of it is read once more.
      if (!logFileNumbers(this.#dir).some((number) => number > (this.#number ?? 0))) return;
      yield* this.#readToEnd();
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    this.#position = 0;
    this.#rest = Buffer.alloc(0);
  }

  async #openNext(): Promise<boolean> {
    for (const number of logFileNumbers(this.#dir)) {
      if (this.#number !== undefined && number <= this.#number) continue;
      try {
        this.#file = await open(path.join(this.#dir, logFileName(number)), 'r');
        this.#number = number;
        return true;
      } catch {
        // Rotated away meanwhile: the next one.
      }
    }
    return false;
  }

  async *#readToEnd(): AsyncIterable<LogLine> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    while (this.#file) {
      const { bytesRead } = await this.#file.read(chunk, 0, CHUNK_BYTES, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      let buffer = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)]);
      for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10)) {
        const parsed = parseRecord(buffer.toString('utf8', 0, end));
        buffer = buffer.subarray(end + 1);
        if (parsed?.kind === 'line') yield parsed.record.line;
      }
      this.#rest = buffer;
    }
  }
}

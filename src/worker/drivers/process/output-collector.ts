/**
 * Carries what a process prints into its log. The process writes straight into two raw files, so it neither waits for
 * the agent nor loses anything when the agent is killed; this follows the files, cuts lines, gives them a time and
 * hands the disk space of what was read back (by punching holes, or by emptying a file that was read to its end).
 */
import { execFile } from 'node:child_process';
import { watch, type FSWatcher } from 'node:fs';
import { open, stat, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../common/clock.ts';
import type { Logger } from '../../../common/log.ts';
import type { LogLimits } from './launch-plan.ts';
import { LogWriter } from './log-files.ts';
import { STREAM_NAMES, type LogRecord, type Offsets, type StreamName } from './log-record.ts';
import type { LogGrowth } from './log-reader.ts';

/** Output is gathered this long before it is taken over, in ms. */
const GATHER_MS = 20;
/** Watching may miss what happens on unusual file systems; this is the latest moment for a look, in ms. */
const LOOK_MS = 10_000;
const CHUNK_BYTES = 64 * 1024;
/** Longer lines are cut, as Docker does. */
const MAX_LINE_BYTES = 16 * 1024;
/** Disk space is handed back in pieces of this size. */
const RECLAIM_BYTES = 4 * 1024 * 1024;
const NEWLINE = 10;

export const rawFile = (dir: string, stream: StreamName): string => join(dir, `${stream}.raw`);

export interface OutputCollectorOptions {
  /** Holds the raw files and the log files. */
  readonly dir: string;
  readonly limits: LogLimits;
  readonly clock: Clock;
  readonly log: Logger;
}

export class OutputCollector implements LogGrowth {
  readonly #options: OutputCollectorOptions;
  readonly #writer: LogWriter;
  #offsets: Offsets;
  /** How far disk space was handed back, per stream. */
  readonly #reclaimed: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  #watcher: FSWatcher | undefined;
  #cancelLook: (() => void) | undefined;
  #cancelGather: (() => void) | undefined;
  #queue: Promise<void> = Promise.resolve();
  #isOver = false;
  readonly #waiting = new Set<() => void>();

  constructor(options: OutputCollectorOptions) {
    this.#options = options;
    this.#writer = new LogWriter(options.dir, options.limits);
    this.#offsets = this.#writer.resume();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    this.#isOver = false;
    if (!this.#options.limits.isKept || this.#watcher) return;
    this.#watcher = watch(this.#options.dir, (_event, name) => {
      if (name === null || name.endsWith('.raw')) this.#gather();
    });
    this.#watcher.on('error', () => undefined);
    this.#look();
  }

  /** Takes over all that was printed up to now. */
  async flush(): Promise<void> {
    await this.#collect(false);
  }

  /** The process has ended: takes over the rest, also a last line without newline. */
  async finish(): Promise<void> {
    this.#stopWatching();
    await this.#collect(true);
    this.#isOver = true;
    this.#writer.close();
    this.#tell();
  }

  /** Stops without waiting for the end of the process; the next agent goes on from here. */
  async detach(): Promise<void> {
    this.#stopWatching();
    await this.#queue;
    this.#isOver = true;
    this.#writer.close();
    this.#tell();
  }

  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted || this.#isOver) done();
    });
  }

  #look(): void {
    this.#gather();
    this.#cancelLook = this.#options.clock.setTimer(LOOK_MS, () => this.#look());
  }

  #gather(): void {
    this.#cancelGather ??= this.#options.clock.setTimer(GATHER_MS, () => {
      this.#cancelGather = undefined;
      void this.#collect(false);
    });
  }

  #stopWatching(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#cancelLook?.();
    this.#cancelGather?.();
    this.#cancelGather = undefined;
  }

  /** One at a time; never rejects. */
  #collect(isEnd: boolean): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (!this.#options.limits.isKept || (this.#isOver && !isEnd)) return;
      for (const stream of STREAM_NAMES) {
        try {
          await this.#collectStream(stream, isEnd);
        } catch (error) {
          this.#options.log.warn(
            { dir: this.#options.dir, stream, err: error },
            'output of a task could not be taken into its log',
          );
        }
      }
    });
    return this.#queue;
  }

  async #collectStream(stream: StreamName, isEnd: boolean): Promise<void> {
    const path = rawFile(this.#options.dir, stream);
    const size = await sizeOf(path);
    // Emptied before its new beginning was noted.
    if (size < this.#offsets[stream]) this.#offsets = { ...this.#offsets, [stream]: 0 };
    if (size === this.#offsets[stream]) return;
    const file = await open(path, 'r');
    try {
      while (await this.#takeChunk(file, stream, isEnd)) await this.#reclaim(stream, path);
    } finally {
      await file.close();
    }
  }

  /** False when there was no whole line left. */
  async #takeChunk(file: FileHandle, stream: StreamName, isEnd: boolean): Promise<boolean> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, this.#offsets[stream]);
    const { lines, used } = cutLines(chunk.subarray(0, bytesRead), isEnd && bytesRead < CHUNK_BYTES);
    if (used === 0) return false;
    const base = this.#offsets[stream];
    const nowMs = this.#options.clock.now();
    // A microsecond between lines keeps their order also where times are compared.
    const records: LogRecord[] = lines.map(({ data, end }, index) => ({
      line: { stream, timeMs: nowMs + index / 1000, data },
      offset: base + end,
    }));
    this.#writer.append(records, this.#offsets);
    this.#offsets = { ...this.#offsets, [stream]: base + used };
    this.#tell();
    return true;
  }

  /** While a process prints faster than its log can be written, too: its raw file must not grow without end. */
  async #reclaim(stream: StreamName, path: string): Promise<void> {
    const offset = this.#offsets[stream];
    if (offset - this.#reclaimed[stream] < RECLAIM_BYTES) return;
    this.#reclaimed[stream] = offset;
    if (await punchHole(path, offset)) return;
    // Without holes a file read to its end is emptied: what is printed in this very moment may be lost.
    if ((await sizeOf(path)) !== offset) return;
    await truncate(path, 0);
    this.#offsets = { ...this.#offsets, [stream]: 0 };
    this.#reclaimed[stream] = 0;
    this.#writer.note(this.#offsets);
  }

  #tell(): void {
    for (const done of this.#waiting) done();
  }
}

interface CutLine {
  readonly data: Buffer;
  /** Where the next line begins. */
  readonly end: number;
}

/** Whole lines at the front of `bytes`; with `isEnd` also what follows the last newline. */
function cutLines(bytes: Buffer, isEnd: boolean): { readonly lines: readonly CutLine[]; readonly used: number } {
  const lines: CutLine[] = [];
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const limit = at + MAX_LINE_BYTES;
    if (newline >= 0 && newline < limit) {
      lines.push({ data: Buffer.from(bytes.subarray(at, newline)), end: newline + 1 });
      at = newline + 1;
    } else if (limit <= bytes.length) {
      lines.push({ data: Buffer.from(bytes.subarray(at, limit)), end: limit });
      at = limit;
    } else if (isEnd) {
      lines.push({ data: Buffer.from(bytes.subarray(at)), end: bytes.length });
      at = bytes.length;
    } else break;
  }
  return { lines, used: at };
}

/** 0 for a file that is not there. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** Of util-linux; where it is missing files are emptied instead. */
const PUNCH_PROGRAM = 'fallocate';

const punchHole = (file: string, bytes: number): Promise<boolean> =>
  new Promise((resolve) => {
    execFile(PUNCH_PROGRAM, ['--punch-hole', '--offset', '0', '--length', String(bytes), file], (error) =>
      resolve(!error),
    );
  });

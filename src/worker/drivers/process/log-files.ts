/** A task's log on disk: numbered files of JSON lines; the newest is written, the oldest go when there are too many. */
import { closeSync, openSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { LogLimits } from './launch-plan.ts';
import { encodeLine, encodeOffsets, parseRecord, type LogRecord, type Offsets } from './log-record.ts';

const NAME = /^log\.(\d{6})\.jsonl$/;
export const logFileName = (number: number): string => `log.${String(number).padStart(6, '0')}.jsonl`;

/** Numbers of the files there are, oldest first. */
export function logFileNumbers(dir: string): readonly number[] {
  let names: readonly string[];
  try {
    names = readdirSync(dir);
  } catch {
    return [];
  }
  return names
    .map((name) => NAME.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

export class LogWriter {
  readonly #dir: string;
  readonly #limits: LogLimits;
  #number = 0;
  #file: number | undefined;
  #bytes = 0;

  /** Nothing is opened before the first write. */
  constructor(dir: string, limits: LogLimits) {
    this.#dir = dir;
    this.#limits = limits;
  }

  /** Where an earlier run stopped reading; cuts off a line torn by a crash. */
  resume(): Offsets {
    let offsets: Offsets = { stdout: 0, stderr: 0 };
    const newest = logFileNumbers(this.#dir).at(-1);
    if (newest === undefined) return offsets;
    this.#number = newest;
    const file = path.join(this.#dir, logFileName(newest));
    const text = readFileSync(file, 'utf8');
    const whole = text.lastIndexOf('\n') + 1;
    if (whole < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, whole)));
    for (const line of text.slice(0, whole).split('\n')) {
      const parsed = parseRecord(line);
      if (parsed?.kind === 'offsets') offsets = parsed.offsets;
      else if (parsed) offsets = { ...offsets, [parsed.record.line.stream]: parsed.record.offset };
    }
    return offsets;
  }

  /** Writes records in one go. `before` are the offsets in force before them. */
  append(records: readonly LogRecord[], before: Offsets): void {
    let offsets = before;
    let text = '';
    for (const record of records) {
      if (this.#file === undefined || this.#bytes + text.length >= this.#limits.maxFileBytes) {
        this.#write(text);
        text = '';
        this.#open(offsets);
      }
      text += encodeLine(record);
      offsets = { ...offsets, [record.line.stream]: record.offset };
    }
    this.#write(text);
  }

  /** Notes offsets that no line carries, as after the raw output was emptied. */
  note(offsets: Offsets): void {
    this.#open(offsets);
    this.#write(encodeOffsets(offsets));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(offsets: Offsets): void {
    const isFull = this.#bytes >= this.#limits.maxFileBytes;
    if (this.#file !== undefined && !isFull) return;
    this.close();
    if (isFull || this.#number === 0) this.#number++;
    const file = path.join(this.#dir, logFileName(this.#number));
    this.#file = openSync(file, 'a', 0o600);
    this.#bytes = statSync(file).size;
    if (this.#bytes === 0) this.#write(encodeOffsets(offsets));
    for (const number of logFileNumbers(this.#dir)) {
      if (number <= this.#number - this.#limits.maxFiles)
        rmSync(path.join(this.#dir, logFileName(number)), { force: true });
    }
  }

  #write(text: string): void {
    if (text === '' || this.#file === undefined) return;
    this.#bytes += writeSync(this.#file, text);
  }
}

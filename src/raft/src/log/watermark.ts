import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { readU64, viewOf, writeU64 } from './bytes.ts';

/**
 * A small file that says how far the log was durable. It is written after every group, without a sync, and only ever lags behind: a log
 * that ends before it has lost durable records (a zeroed block at the tail looks like a clean end otherwise). It outlives the process; after
 * a loss of power it may lag.
 */
const SIZE = 16;
const MAGIC = 0x6d_6b_72_31;

export class Watermark {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'a+');
    closeSync(this.#fd);
    this.#fd = openSync(path, 'r+');
  }

  /** @param sequence Every record below it is durable. */
  write(sequence: number): void {
    writeSync(this.#fd, encodeWatermark(sequence), 0, SIZE, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** @param sequence Every record below it is durable. */
export function encodeWatermark(sequence: number): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC, true);
  writeU64(view, 8, sequence);
  view.setUint32(4, crc32(bytes.subarray(8), MAGIC), true);
  return bytes;
}

/** The sequence number below which everything was durable; 0 if it is not known. */
export function decodeWatermark(bytes: Uint8Array): number {
  if (bytes.length < SIZE) return 0;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== crc32(bytes.subarray(8, SIZE), MAGIC)) return 0;
  return readU64(view, 8);
}

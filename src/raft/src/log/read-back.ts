import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { entryBytes } from '../entry-size.ts';
import type { Entry } from '../types.ts';
import { viewOf } from './bytes.ts';
import { LogClosedError, LogCorruptError } from './errors.ts';
import type { LogKeys } from './keys.ts';
import type { LogView } from './log-view.ts';
import { readEntries } from './payloads.ts';
import { RECORD_HEAD, RecordType, headAt, payloadAt, recordAt, recordSize } from './record.ts';
import type { RecordHead } from './record.ts';
import { openRecord } from './record-cipher.ts';
import type { KnownSegment } from './recovery.ts';
import { SEGMENT_HEADER_SIZE, decodeSegmentHeader, headerCrc } from './segment-header.ts';
import type { SparseIndex } from './sparse-index.ts';

interface OpenSegment {
  readonly fd: number;
  readonly file: string;
  readonly header: Uint8Array;
  readonly keyId: string;
}

const WINDOW = 512 * 1024;
const MAX_OPEN = 4;

/** Reads entries that are no longer in memory back from the segments, verifying every record on the way. */
export class EntryReader {
  readonly #directory: string;
  readonly #segments: Map<number, KnownSegment>;
  readonly #open = new Map<number, OpenSegment>();
  #keys: LogKeys | undefined;
  #closed = false;

  /** @param segments Kept up to date by the caller. */
  constructor(directory: string, segments: Map<number, KnownSegment>, keys: LogKeys | undefined) {
    this.#directory = directory;
    this.#segments = segments;
    this.#keys = keys;
  }

  setKeys(keys: LogKeys | undefined): void {
    this.#keys = keys;
  }

  /** Entries [lo, hi) of a view, from memory or the segments: at least one, further ones while they fit into `maxBytes`. */
  entries(view: LogView, lo: number, hi: number, maxBytes: number): readonly Entry[] {
    const found: Entry[] = [];
    let bytes = 0;
    const take = (entry: Entry): boolean => {
      bytes += entryBytes(entry);
      if (bytes > maxBytes && found.length > 0) return false;
      found.push(entry);
      return true;
    };
    const cached = Math.min(hi, view.cache.first);
    if (lo < cached) {
      this.read(view.sparse, lo, cached, take);
      if (lo + found.length < cached) return found;
    }
    for (let index = lo + found.length; index < hi; index++) {
      const entry = view.cache.get(index);
      if (entry === undefined) throw new Error(`entry ${String(index)} is neither in memory nor on disk`);
      if (!take(entry)) break;
    }
    return found;
  }

  /**
   * Calls `take` with the entries from `lo` on, in order, until it returns false or `hi` is reached.
   * Throws {@link LogCorruptError} if a record on the way is damaged.
   */
  read(sparse: SparseIndex, lo: number, hi: number, take: (entry: Entry) => boolean): void {
    if (this.#closed) throw new LogClosedError();
    for (let next = lo; next < hi;) {
      const found = sparse.find(next);
      if (found === undefined) throw new Error(`entry ${String(next)} is not in any segment`);
      const stopped = this.#readRun(found.point.place, next, Math.min(hi, found.until), take);
      if (stopped === undefined) return;
      next = stopped;
    }
  }

  /** Closes the file of a removed segment. */
  forget(segment: number): void {
    const open = this.#open.get(segment);
    if (open !== undefined) closeSync(open.fd);
    this.#open.delete(segment);
  }

  close(): void {
    this.#closed = true;
    for (const segment of this.#open.keys()) this.forget(segment);
  }

  /** Reads records from a place until entry `until`; returns the next index, or undefined if `take` had enough. */
  #readRun(
    place: { readonly segment: number; readonly offset: number; readonly sequence: number; readonly prevCrc: number },
    from: number,
    until: number,
    take: (entry: Entry) => boolean,
  ): number | undefined {
    const segment = this.#segment(place.segment);
    const seed = headerCrc(segment.header);
    const window = new Window(segment.fd);
    let { offset, sequence, prevCrc } = place;
    for (let next = from; next < until;) {
      const record = window.record(offset, seed);
      const where = { file: segment.file, offset, sequence };
      if (record === undefined) throw new LogCorruptError(where, 'a record fails its checksum');
      if (record.head.sequence !== sequence || record.head.prevCrc !== prevCrc) {
        throw new LogCorruptError(where, 'a record is not the successor of the one before it');
      }
      if (record.head.type === RecordType.Entries) {
        const plain = openRecord(record.payload, record.head, segment.header, this.#keys?.keys.get(segment.keyId));
        if (plain === undefined) throw new LogCorruptError(where, 'a record can not be decrypted with its key');
        for (const entry of readEntries(plain).entries) {
          if (entry.index !== next || next >= until) continue;
          if (!take(entry)) return undefined;
          next++;
        }
      } else if (record.head.type === RecordType.Seal) {
        throw new LogCorruptError(where, `entry ${String(next)} is missing`);
      }
      offset += recordSize(record.head.length);
      sequence++;
      prevCrc = record.head.crc;
    }
    return until;
  }

  #segment(number: number): OpenSegment {
    const open = this.#open.get(number);
    if (open !== undefined) return open;
    const known = this.#segments.get(number);
    if (known === undefined) throw new Error(`segment ${String(number)} was removed`);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < MAX_OPEN) break;
      this.forget(oldest);
    }
    const fd = openSync(join(this.#directory, known.file), 'r');
    const header = new Uint8Array(SEGMENT_HEADER_SIZE);
    readSync(fd, header, 0, header.length, 0);
    const decoded = decodeSegmentHeader(header);
    if (typeof decoded === 'string') {
      closeSync(fd);
      throw new LogCorruptError({ file: known.file, offset: 0 }, decoded);
    }
    const opened = { fd, file: known.file, header, keyId: decoded.keyId };
    this.#open.set(number, opened);
    return opened;
  }
}

/** A part of a file in memory that moves forward as records are read. */
class Window {
  readonly #fd: number;
  readonly #fileSize: number;
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(fd: number) {
    this.#fd = fd;
    this.#fileSize = fstatSync(fd).size;
  }

  /** The record at an offset of the file, if it is valid. */
  record(offset: number, seed: number): { readonly head: RecordHead; readonly payload: Uint8Array } | undefined {
    this.#load(offset, RECORD_HEAD);
    const length = viewOf(this.#bytes).byteLength - (offset - this.#start) >= RECORD_HEAD ? this.#lengthAt(offset) : 0;
    this.#load(offset, RECORD_HEAD + length);
    const at = offset - this.#start;
    const view = viewOf(this.#bytes);
    if (headAt(this.#bytes, view, at) === undefined) return undefined;
    const head = recordAt(this.#bytes, view, at, seed);
    return head === undefined ? undefined : { head, payload: payloadAt(this.#bytes, at, head) };
  }

  #lengthAt(offset: number): number {
    return viewOf(this.#bytes).getUint32(offset - this.#start + 8, true);
  }

  #load(offset: number, size: number): void {
    if (offset >= this.#start && offset + size <= this.#start + this.#bytes.length) return;
    const wanted = Math.min(Math.max(size, WINDOW), Math.max(0, this.#fileSize - offset));
    const bytes = new Uint8Array(wanted);
    let done = 0;
    while (done < wanted) {
      const read = readSync(this.#fd, bytes, done, wanted - done, offset + done);
      if (read === 0) break;
      done += read;
    }
    this.#start = offset;
    this.#bytes = bytes.subarray(0, done);
  }
}

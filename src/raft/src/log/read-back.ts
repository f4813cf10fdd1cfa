import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { entryBytes } from '../entry-size.ts';
import type { Entry } from '../types.ts';
import { viewOf } from './bytes.ts';
import { LogClosedError, LogCorruptError } from './errors.ts';
import type { LogKeys } from './keys.ts';
import { newBytes, readInto } from './log-files.ts';
import type { LogView } from './log-view.ts';
import { readEntries } from './payloads.ts';
import {
  FLAG_ENCRYPTED,
  LENGTH_OFFSET,
  RECORD_HEAD,
  RecordType,
  headAt,
  isIntact,
  payloadAt,
  recordSize,
} from './record.ts';
import type { RecordHead } from './record.ts';
import { openRecord } from './record-cipher.ts';
import type { KnownSegment } from './recovery.ts';
import { SEGMENT_HEADER_SIZE, decodeSegmentHeader, headerCrc } from './segment-header.ts';
import type { RecordPlace, SparseIndex } from './sparse-index.ts';

interface OpenSegment {
  readonly fd: number;
  readonly file: string;
  readonly header: Uint8Array;
  readonly keyId: string;
}

interface OpenedRecord {
  readonly place: RecordPlace;
  /** Of the record behind it. */
  readonly next: RecordPlace;
  readonly isSeal: boolean;
  /** Empty if it holds something else. */
  readonly entries: readonly Entry[];
}

const WINDOW = 512 * 1024;
const MAX_OPEN = 4;

/** Reads entries that are no longer in memory back from the segments, verifying every record on the way. */
export class EntryReader {
  readonly #directory: string;
  readonly #segments: Map<number, KnownSegment>;
  readonly #open = new Map<number, OpenSegment>();
  #keys: LogKeys | undefined;
  #window: Window | undefined;
  #last: OpenedRecord | undefined;
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
    if (open === undefined) return;
    // The system gives the number of a closed file to the next one.
    if (this.#window?.fd === open.fd) this.#window = undefined;
    closeSync(open.fd);
    this.#open.delete(segment);
  }

  close(): void {
    this.#closed = true;
    for (const segment of this.#open.keys()) this.forget(segment);
  }

  /** Reads records from a place until entry `until`; returns the next index, or undefined if `take` had enough. */
  #readRun(place: RecordPlace, from: number, until: number, take: (entry: Entry) => boolean): number | undefined {
    let at = place;
    for (let next = from; next < until;) {
      const record = this.#record(at);
      if (record.isSeal) throw this.#corrupt(at, `entry ${String(next)} is missing`);
      const { entries } = record;
      // Records of one run follow one another, but a page of entries may end within one.
      const first = entries[0]?.index ?? next;
      for (let i = Math.max(0, next - first); i < entries.length && next < until; i++) {
        const entry = entries[i] as Entry;
        if (entry.index !== next) continue;
        if (!take(entry)) return undefined;
        next++;
      }
      at = record.next;
    }
    return until;
  }

  /** The record at a place, verified and opened. The last one is kept: whoever takes page after page comes back to it. */
  #record(place: RecordPlace): OpenedRecord {
    const last = this.#last;
    if (last !== undefined && isSamePlace(last.place, place)) return last;
    const opened = this.#openRecord(place);
    this.#last = opened;
    return opened;
  }

  #openRecord(place: RecordPlace): OpenedRecord {
    const segment = this.#segment(place.segment);
    const window = this.#windowOf(segment);
    const held = this.#verified(place, segment, window);
    if (typeof held !== 'string') return held;
    // What was read some time ago may have been written since, so nothing is called damaged before it was read anew.
    window.load(place.offset);
    const fresh = this.#verified(place, segment, window);
    if (typeof fresh === 'string') throw this.#corrupt(place, fresh);
    return fresh;
  }

  /** The record, or what is wrong with it. Encrypted ones are held to their authentication tag, which covers what the crc does. */
  #verified(place: RecordPlace, segment: OpenSegment, window: Window): OpenedRecord | string {
    const head = window.headAt(place.offset);
    if (head === undefined) return 'a record fails its checksum';
    const isEncrypted = (head.flags & FLAG_ENCRYPTED) !== 0;
    if (!isEncrypted && !window.isIntact(place.offset, head, headerCrc(segment.header)))
      return 'a record fails its checksum';
    if (head.sequence !== place.sequence || head.prevCrc !== place.prevCrc)
      return 'a record is not the successor of the one before it';
    const next: RecordPlace = {
      segment: place.segment,
      offset: place.offset + recordSize(head.length),
      sequence: place.sequence + 1,
      prevCrc: head.crc,
    };
    const isSeal = head.type === RecordType.Seal;
    if (head.type !== RecordType.Entries) return { place, next, isSeal, entries: [] };
    const payload = window.payload(place.offset, head);
    const plain = isEncrypted
      ? openRecord(payload, head, segment.header, this.#keys?.keys.get(segment.keyId))
      : payload.slice();
    if (plain === undefined) return 'a record can not be decrypted with its key';
    return { place, next, isSeal, entries: readEntries(plain).entries };
  }

  #corrupt({ segment, offset, sequence }: RecordPlace, detail: string): LogCorruptError {
    return new LogCorruptError({ file: this.#segment(segment).file, offset, sequence }, detail);
  }

  /** Reading on in the same segment goes on in what was read of it. */
  #windowOf({ fd }: OpenSegment): Window {
    if (this.#window?.fd !== fd) this.#window = new Window(fd);
    return this.#window;
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
    readInto(fd, header, 0);
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
  readonly fd: number;
  #start = 0;
  #memory = newBytes(WINDOW);
  #bytes = this.#memory.subarray(0, 0);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** The head of the record at an offset of the file, if all of it is here and it is plausible. */
  headAt(offset: number): RecordHead | undefined {
    const at = offset - this.#start;
    return at < 0 ? undefined : headAt(this.#bytes, viewOf(this.#bytes), at);
  }

  isIntact(offset: number, head: RecordHead, seed: number): boolean {
    return isIntact(this.#bytes, offset - this.#start, head, seed);
  }

  /** A view that lasts until the next {@link load}. */
  payload(offset: number, head: RecordHead): Uint8Array {
    return payloadAt(this.#bytes, offset - this.#start, head);
  }

  /** Moves on to an offset, and takes in at least the whole record there. */
  load(offset: number): void {
    this.#start = offset;
    this.#fill();
    if (this.#bytes.length < RECORD_HEAD) return;
    const size = recordSize(viewOf(this.#bytes).getUint32(LENGTH_OFFSET, true));
    if (size <= this.#memory.length) return;
    this.#memory = newBytes(Math.min(size, fstatSync(this.fd).size));
    this.#fill();
  }

  #fill(): void {
    this.#bytes = this.#memory.subarray(0, readInto(this.fd, this.#memory, this.#start));
  }
}

const isSamePlace = (a: RecordPlace, b: RecordPlace): boolean =>
  a.segment === b.segment && a.offset === b.offset && a.sequence === b.sequence && a.prevCrc === b.prevCrc;

import { join } from 'node:path';
import { align8 } from './bytes.ts';
import { batchRecords } from './batch.ts';
import type { LogFiles } from './log-files.ts';
import type { LogKeys } from './keys.ts';
import {
  FLAG_ENCRYPTED,
  FLAG_RESTATED,
  GROUP_TRAILER,
  MAX_GROUP_RECORDS,
  RECORD_HEAD,
  RecordType,
  TRAILER_RECORD_SIZE,
  recordSize,
  sealRecord,
} from './record.ts';
import { NONCE_SALT_SIZE } from './cipher.ts';
import { RecordSealer } from './record-cipher.ts';
import {
  SALT_SIZE,
  SEGMENT_HEADER_SIZE,
  decodeSegmentHeader,
  encodeSegmentHeader,
  headerCrc,
} from './segment-header.ts';
import { segmentFileName } from './segment-files.ts';
import type { ChainPoint } from './segment-scan.ts';
import type { RecordPlace } from './sparse-index.ts';

/** State that every segment repeats at its head, so that older segments can be removed. Payloads as in the records. */
export interface StandingState {
  hardState?: Uint8Array | undefined;
  mark?: Uint8Array | undefined;
  confState?: Uint8Array | undefined;
}

export interface WriterOptions {
  readonly directory: string;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly segmentBytes: number;
  readonly files: LogFiles;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** The segment a restarted writer continues. */
export interface WriterTail {
  readonly file: string;
  readonly header: Uint8Array;
  readonly end: ChainPoint;
}

export interface SegmentBegun {
  readonly segment: number;
  readonly file: string;
  readonly keyId: string;
  readonly header: Uint8Array;
}

/** What one writer tells another of the same segment, so that they can take turns. */
export interface WrittenElsewhere {
  /** Where the next group begins. */
  readonly end: ChainPoint;
  /** Payload of the last hard state that was written, if one was. */
  readonly hardState: Uint8Array | undefined;
}

interface OpenSegment {
  readonly fd: number;
  readonly segment: number;
  readonly keyId: string;
  readonly header: Uint8Array;
  readonly seed: number;
  readonly sealer: RecordSealer | undefined;
}

interface Framed {
  readonly bytes: Uint8Array;
  readonly end: ChainPoint;
  /** Places of the entries records, in order. */
  readonly places: readonly RecordPlace[];
}

/** Writes groups of batches into the newest segment: one write and one sync each. Everything blocks; it lives in the log's worker, see {@link QuickWriter} too. */
export class SegmentWriter {
  readonly #options: WriterOptions;
  readonly #standing: StandingState;
  #keys: LogKeys | undefined;
  #current: OpenSegment | undefined;
  #end: ChainPoint = { offset: 0, sequence: 1, prevCrc: 0 };

  constructor(
    options: WriterOptions,
    keys: LogKeys | undefined,
    tail: WriterTail | undefined,
    standing: StandingState,
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#standing = { ...standing };
    if (tail === undefined) return;
    const header = decodeSegmentHeader(tail.header);
    if (typeof header === 'string') throw new Error(header);
    const fd = options.files.open(join(options.directory, tail.file));
    this.#current = this.#opened(fd, header.segment, header.keyId, tail.header);
    this.#end = tail.end;
  }

  /** Sequence number of the next record; everything below it is durable. */
  get sequence(): number {
    return this.#end.sequence;
  }

  /** Where the next group begins. */
  get end(): ChainPoint {
    return this.#end;
  }

  /** Payload of the last hard state. */
  get hardState(): Uint8Array | undefined {
    return this.#standing.hardState;
  }

  /** Another writer of the same segment has written up to here. */
  goOn({ end, hardState }: WrittenElsewhere): void {
    this.#end = end;
    if (hardState !== undefined) this.#standing.hardState = hardState;
  }

  setKeys(keys: LogKeys | undefined): void {
    this.#keys = keys;
  }

  /** A new segment must be begun before a group of these batches is written. */
  needsSegment(batches: readonly Uint8Array[]): boolean {
    const current = this.#current;
    if (current === undefined || current.keyId !== (this.#keys?.current ?? '')) return true;
    const { offset } = this.#end;
    if (offset <= SEGMENT_HEADER_SIZE) return false;
    return offset + this.#groupSize(batches, current) + TRAILER_RECORD_SIZE > this.#options.segmentBytes;
  }

  /**
   * Turns a zero-filled file into the newest segment. The new segment is durable, with all standing state, before the old one
   * is sealed: a sealed segment proves that its successor must exist.
   */
  beginSegment(preparedFile: string, firstIndex: number): SegmentBegun {
    const { files, directory, clusterId, nodeId, randomBytes } = this.#options;
    const old = this.#current;
    const seal = old === undefined ? undefined : frameMarker(RecordType.Seal, old.seed, this.#end, 0);
    const segment = (old?.segment ?? 0) + 1;
    const keyId = this.#keys?.current ?? '';
    const header = encodeSegmentHeader({
      clusterId,
      nodeId,
      segment,
      firstIndex,
      firstSequence: seal?.end.sequence ?? 1,
      prevCrc: seal?.end.prevCrc ?? 0,
      keyId,
      salt: randomBytes(SALT_SIZE),
    });
    const path = join(directory, preparedFile);
    const fd = files.open(path);
    const next = this.#opened(fd, segment, keyId, header);
    const start = { offset: SEGMENT_HEADER_SIZE, sequence: seal?.end.sequence ?? 1, prevCrc: next.seed };
    const standing = this.#frame([...standingRecords(this.#standing)], next, start, FLAG_RESTATED);
    const file = segmentFileName(segment, firstIndex);
    files.write(fd, Buffer.concat([header, standing.bytes]), 0);
    files.sync(fd);
    files.rename(path, join(directory, file));
    files.syncDirectory(directory);
    if (old !== undefined && seal !== undefined) {
      files.write(old.fd, seal.bytes, this.#end.offset);
      files.sync(old.fd);
      files.close(old.fd);
    }
    this.#current = next;
    this.#end = standing.end;
    return { segment, file, keyId, header };
  }

  /** Writes and syncs one group; returns the places of its entries records. On an error nothing has changed but the file. */
  writeGroup(batches: readonly Uint8Array[]): { readonly places: readonly RecordPlace[]; readonly bytes: number } {
    const current = this.#current;
    if (current === undefined) throw new Error('no segment is open');
    const records = batches.flatMap((batch) => [...batchRecords(batch)]);
    const framed = this.#frame(records, current, this.#end, 0);
    this.#options.files.write(current.fd, framed.bytes, this.#end.offset);
    this.#options.files.sync(current.fd);
    this.#end = framed.end;
    for (const record of records) this.#remember(record.type, record.payload);
    return { places: framed.places, bytes: framed.bytes.length };
  }

  close(): void {
    if (this.#current !== undefined) this.#options.files.close(this.#current.fd);
    this.#current = undefined;
  }

  #opened(fd: number, segment: number, keyId: string, header: Uint8Array): OpenSegment {
    const key = this.#keys?.keys.get(keyId);
    const sealer = key === undefined ? undefined : new RecordSealer(key, this.#options.randomBytes(NONCE_SALT_SIZE));
    return { fd, segment, keyId, header, seed: headerCrc(header), sealer };
  }

  #groupSize(batches: readonly Uint8Array[], segment: OpenSegment): number {
    const overhead = segment.sealer === undefined ? 0 : RecordSealer.overhead;
    let size = TRAILER_RECORD_SIZE;
    for (const batch of batches) {
      for (const { payload } of batchRecords(batch)) size += recordSize(payload.length + overhead);
    }
    return size;
  }

  #frame(
    records: readonly { readonly type: RecordType; readonly payload: Uint8Array }[],
    segment: OpenSegment,
    start: ChainPoint,
    flags: number,
  ): Framed {
    if (records.length === 0) return { bytes: new Uint8Array(0), end: start, places: [] };
    if (records.length >= MAX_GROUP_RECORDS)
      throw new RangeError(`a group of ${String(records.length)} records is too large`);
    const { sealer, seed, header } = segment;
    const overhead = sealer === undefined ? 0 : RecordSealer.overhead;
    const allFlags = sealer === undefined ? flags : flags | FLAG_ENCRYPTED;
    const size = records.reduce((sum, record) => sum + recordSize(record.payload.length + overhead), 0);
    const bytes = new Uint8Array(size + TRAILER_RECORD_SIZE);
    const places: RecordPlace[] = [];
    let { sequence, prevCrc } = start;
    let offset = 0;
    for (const [position, { type, payload }] of records.entries()) {
      const length = payload.length + overhead;
      const target = bytes.subarray(offset + RECORD_HEAD, offset + RECORD_HEAD + length);
      if (sealer === undefined) target.set(payload);
      else sealer.seal(target, payload, header, type, allFlags, sequence);
      if (type === RecordType.Entries) {
        places.push({ segment: segment.segment, offset: start.offset + offset, sequence, prevCrc });
      }
      prevCrc = sealRecord(bytes, offset, seed, { prevCrc, length, type, flags: allFlags, position, sequence });
      sequence++;
      offset += recordSize(length);
    }
    const trailer = frameMarker(
      RecordType.EndOfGroup,
      seed,
      { offset: start.offset + offset, sequence, prevCrc },
      records.length,
    );
    bytes.set(trailer.bytes, offset);
    return { bytes, end: trailer.end, places };
  }

  #remember(type: RecordType, payload: Uint8Array): void {
    if (type === RecordType.HardState) this.#standing.hardState = payload.slice();
    else if (type === RecordType.ConfState) this.#standing.confState = payload.slice();
    else if (type === RecordType.SnapshotMark) {
      this.#standing.mark = payload.slice();
      // A mark brings its own configuration.
      this.#standing.confState = undefined;
    }
  }
}

function* standingRecords(
  standing: StandingState,
): Generator<{ readonly type: RecordType; readonly payload: Uint8Array }> {
  if (standing.mark !== undefined) yield { type: RecordType.SnapshotMark, payload: standing.mark };
  if (standing.confState !== undefined) yield { type: RecordType.ConfState, payload: standing.confState };
  if (standing.hardState !== undefined) yield { type: RecordType.HardState, payload: standing.hardState };
}

/** An end-of-group or seal record: never encrypted, always ends in the trailer. */
function frameMarker(
  type: RecordType,
  seed: number,
  at: ChainPoint,
  position: number,
): { readonly bytes: Uint8Array; readonly end: ChainPoint } {
  const bytes = new Uint8Array(align8(TRAILER_RECORD_SIZE));
  bytes.set(GROUP_TRAILER, RECORD_HEAD);
  const { sequence, prevCrc } = at;
  const crc = sealRecord(bytes, 0, seed, { prevCrc, length: GROUP_TRAILER.length, type, flags: 0, position, sequence });
  return { bytes, end: { offset: at.offset + bytes.length, sequence: sequence + 1, prevCrc: crc } };
}

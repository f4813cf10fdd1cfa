import { join } from 'node:path';
import { LogCorruptError, LogIdentityError, LogKeyError } from './errors.ts';
import type { LogKeys } from './keys.ts';
import { nodeLogFiles } from './log-files.ts';
import type { LogFiles } from './log-files.ts';
import { LogView, ReplayError } from './log-view.ts';
import {
  outlineEntries,
  readConfState,
  readEntries,
  readHardState,
  readSnapshotMark,
  readTruncation,
} from './payloads.ts';
import type { EntriesOutline, SnapshotMark } from './payloads.ts';
import { FLAG_RESTATED, RecordType } from './record.ts';
import { openRecord } from './record-cipher.ts';
import { SEGMENT_HEADER_SIZE, decodeSegmentHeader, headerCrc } from './segment-header.ts';
import type { SegmentHeader } from './segment-header.ts';
import { WATERMARK_FILE, segmentsAmong } from './segment-files.ts';
import type { SegmentName } from './segment-files.ts';
import { judgeTail, scanSegment } from './segment-scan.ts';
import type { ChainPoint, ScannedRecord, SegmentScan } from './segment-scan.ts';
import type { StandingState, WriterTail } from './segment-writer.ts';
import { decodeWatermark } from './watermark.ts';

export interface RecoveryOptions {
  readonly directory: string;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly segmentBytes: number;
  readonly keys: LogKeys | undefined;
  readonly cacheBytes: number;
  /** Whether entries found are kept in memory, as far as the cache goes. Default false: they are read back when they are wanted. */
  readonly keepEntries?: boolean | undefined;
  /** Default: those of the operating system. */
  readonly files?: LogFiles | undefined;
}

/** A segment that exists, and the key that opens it. */
export interface KnownSegment {
  readonly segment: number;
  readonly file: string;
  readonly keyId: string;
}

export interface RecoveredLog {
  readonly view: LogView;
  readonly segments: readonly KnownSegment[];
  /** Where writing continues; undefined on a new log. */
  readonly tail: WriterTail | undefined;
  readonly standing: StandingState;
  /** Bytes of an interrupted write that were cut off. */
  readonly tornBytes: number;
  /** Bytes of entries written since the last snapshot mark. */
  readonly bytesSinceMark: number;
}

interface LoadedSegment extends SegmentName {
  readonly bytes: Uint8Array;
  readonly rawHeader: Uint8Array;
  readonly header: SegmentHeader;
  readonly key: Uint8Array | undefined;
}

/**
 * Reads the whole log, verifies it, cuts off an interrupted last write, and makes durable what was read before anybody acts on it.
 * Throws {@link LogCorruptError} for any damage that is no interrupted write, {@link LogIdentityError} for another node's log,
 * {@link LogKeyError} if a key is missing.
 */
export function recoverLog(options: RecoveryOptions): RecoveredLog {
  const replay = new Replay(options);
  const { files = nodeLogFiles } = options;
  const found = files.list(options.directory);
  const names = segmentsAmong(found);
  let previous: { readonly scan: SegmentScan; readonly loaded: LoadedSegment } | undefined;
  const segments: KnownSegment[] = [];
  let firstIndex: number | undefined;
  let buffer: Uint8Array | undefined;
  for (const name of names) {
    const loaded = loadSegment(name, options, files, buffer);
    firstIndex ??= loaded.header.firstIndex;
    if (previous !== undefined) {
      if (name.segment !== previous.loaded.segment + 1) {
        throw new LogCorruptError(
          { file: name.file, offset: 0 },
          `segment ${String(previous.loaded.segment + 1)} before it is missing`,
        );
      }
      if (!previous.scan.sealed) {
        if (name !== names.at(-1) || !isFresh(loaded))
          throw corruptAt(previous.loaded, previous.scan, previous.scan.stop.detail);
        // The old segment was not sealed yet: the new one holds nothing but repeated state and is begun anew when needed.
        files.remove(join(options.directory, name.file));
        files.syncDirectory(options.directory);
        break;
      }
      const { sequence, prevCrc } = previous.scan.end;
      if (loaded.header.prevCrc !== prevCrc || loaded.header.firstSequence !== sequence) {
        throw new LogCorruptError(
          { file: name.file, offset: 0, sequence },
          'the segment is not the successor of the one before it',
        );
      }
    }
    const scan = replay.segment(loaded);
    previous = { loaded, scan };
    // Of a complete segment nothing is looked at again, unless entries that are kept are parts of it.
    buffer = scan.sealed && options.keepEntries !== true ? loaded.bytes : undefined;
    segments.push({ segment: name.segment, file: name.file, keyId: loaded.header.keyId });
  }
  const watermark = found.includes(WATERMARK_FILE)
    ? decodeWatermark(files.read(join(options.directory, WATERMARK_FILE)))
    : 0;
  if (previous === undefined) {
    if (watermark > 1)
      throw new LogCorruptError({ file: options.directory, offset: 0, sequence: 1 }, 'all segments are missing');
    return { view: replay.view, segments, tail: undefined, standing: {}, tornBytes: 0, bytesSinceMark: 0 };
  }
  const { loaded, scan } = previous;
  const tornBytes = settleTail(loaded, scan, watermark, options, files);
  replay.settle(loaded, scan, firstIndex ?? 0);
  const tail = { file: loaded.file, header: loaded.rawHeader, end: scan.end };
  const { view, standing, bytesSinceMark } = replay;
  return { view, segments, tail, standing, tornBytes, bytesSinceMark };
}

/** @param buffer is used again if it is large enough */
function loadSegment(
  name: SegmentName,
  options: RecoveryOptions,
  files: LogFiles,
  buffer: Uint8Array | undefined,
): LoadedSegment {
  const bytes = files.read(join(options.directory, name.file), buffer);
  const header = decodeSegmentHeader(bytes);
  if (typeof header === 'string') throw new LogCorruptError({ file: name.file, offset: 0 }, header);
  if (header.clusterId !== options.clusterId)
    throw new LogIdentityError(name.file, 'cluster', header.clusterId, options.clusterId);
  if (header.nodeId !== options.nodeId) throw new LogIdentityError(name.file, 'node', header.nodeId, options.nodeId);
  if (header.segment !== name.segment) {
    throw new LogCorruptError({ file: name.file, offset: 0 }, `the header says segment ${String(header.segment)}`);
  }
  const key = options.keys?.keys.get(header.keyId);
  if (header.keyId !== '' && key === undefined) throw new LogKeyError(name.file, header.keyId);
  return { ...name, bytes, rawHeader: bytes.subarray(0, SEGMENT_HEADER_SIZE).slice(), header, key };
}

function startOf(loaded: LoadedSegment): ChainPoint {
  return { offset: SEGMENT_HEADER_SIZE, sequence: loaded.header.firstSequence, prevCrc: headerCrc(loaded.rawHeader) };
}

/** The segment holds nothing of its own yet. */
function isFresh(loaded: LoadedSegment): boolean {
  let own = false;
  const seed = headerCrc(loaded.rawHeader);
  const scan = scanSegment(loaded.bytes, seed, startOf(loaded), (records) => {
    own ||= records.some((record) => (record.head.flags & FLAG_RESTATED) === 0);
  });
  return !own && !scan.sealed && judgeTail(loaded.bytes, seed, scan.end).kind === 'clean';
}

/** Judges and repairs the end of the newest segment. Returns the bytes cut off. */
function settleTail(
  loaded: LoadedSegment,
  scan: SegmentScan,
  watermark: number,
  options: RecoveryOptions,
  files: LogFiles,
): number {
  if (scan.sealed) throw corruptAt(loaded, scan, `segment ${String(loaded.segment + 1)} after it is missing`);
  const verdict = judgeTail(loaded.bytes, headerCrc(loaded.rawHeader), scan.end);
  if (verdict.kind === 'corrupt') throw corruptAt(loaded, scan, `${scan.stop.detail}, and ${verdict.detail}`);
  if (scan.end.sequence < watermark) {
    throw corruptAt(
      loaded,
      scan,
      `${scan.stop.detail}, though everything before record ${String(watermark)} had been made durable`,
    );
  }
  const fd = files.open(join(options.directory, loaded.file));
  try {
    const size = Math.max(options.segmentBytes, scan.end.offset);
    if (verdict.kind === 'torn' || loaded.bytes.length < size) {
      files.truncate(fd, scan.end.offset);
      writeZeros(files, fd, scan.end.offset, size);
    }
    // What was read may still be only in the page cache: it must be durable before anybody acts on it.
    files.sync(fd);
  } finally {
    files.close(fd);
  }
  files.syncDirectory(options.directory);
  return verdict.kind === 'torn' ? verdict.until - scan.end.offset : 0;
}

function writeZeros(files: LogFiles, fd: number, from: number, to: number): void {
  const zeros = new Uint8Array(256 * 1024);
  for (let at = from; at < to; at += zeros.length)
    files.write(fd, zeros.subarray(0, Math.min(zeros.length, to - at)), at);
}

function corruptAt(loaded: LoadedSegment, scan: SegmentScan, detail: string): LogCorruptError {
  return new LogCorruptError({ file: loaded.file, offset: scan.stop.offset, sequence: scan.stop.sequence }, detail);
}

/** Replays records into a view and keeps the standing state the writer needs. */
class Replay {
  readonly view: LogView;
  readonly standing: StandingState = {};
  bytesSinceMark = 0;

  readonly #keepsEntries: boolean;

  constructor({ cacheBytes, keepEntries = false }: RecoveryOptions) {
    this.view = new LogView(cacheBytes);
    this.#keepsEntries = keepEntries;
  }

  segment(loaded: LoadedSegment): SegmentScan {
    return scanSegment(loaded.bytes, headerCrc(loaded.rawHeader), startOf(loaded), (records) => {
      for (const record of records) this.#record(loaded, record);
      this.view.setPlaced(this.view.lastIndex);
    });
  }

  settle(loaded: LoadedSegment, scan: SegmentScan, firstIndex: number): void {
    try {
      this.view.settle(firstIndex);
    } catch (error) {
      if (!(error instanceof ReplayError)) throw error;
      throw new LogCorruptError({ file: loaded.file, offset: scan.end.offset }, error.message, { cause: error });
    }
  }

  #record(loaded: LoadedSegment, { offset, head, payload }: ScannedRecord): void {
    const place = { file: loaded.file, offset, sequence: head.sequence };
    const plain = openRecord(payload, head, loaded.rawHeader, loaded.key);
    if (plain === undefined) throw new LogCorruptError(place, 'a record can not be decrypted with its key');
    try {
      this.#apply(loaded, { offset, head, payload: plain });
    } catch (error) {
      if (!(error instanceof ReplayError || error instanceof RangeError)) throw error;
      throw new LogCorruptError(place, error.message, { cause: error });
    }
  }

  #apply(loaded: LoadedSegment, { offset, head, payload }: ScannedRecord): void {
    const { view, standing } = this;
    switch (head.type) {
      case RecordType.Entries: {
        const { first, count } = this.#entries(payload);
        this.bytesSinceMark += payload.length;
        const { sequence, prevCrc } = head;
        view.place(first, count, { segment: loaded.segment, offset, sequence, prevCrc });
        break;
      }
      case RecordType.HardState:
        view.setHardState(readHardState(payload));
        standing.hardState = payload.slice();
        break;
      case RecordType.SnapshotMark:
        this.#mark(readSnapshotMark(payload), (head.flags & FLAG_RESTATED) !== 0);
        standing.mark = payload.slice();
        standing.confState = undefined;
        break;
      case RecordType.ConfState:
        view.setConfState(readConfState(payload));
        standing.confState = payload.slice();
        break;
      case RecordType.Truncate: {
        const truncation = readTruncation(payload);
        view.truncate(truncation);
        view.sparse.truncate(truncation.from);
        break;
      }
      case RecordType.EndOfGroup:
      case RecordType.Seal:
        break;
    }
  }

  #entries(payload: Uint8Array): EntriesOutline {
    const outline = outlineEntries(payload);
    if (this.#keepsEntries) this.view.append(outline.prevTerm, readEntries(payload).entries);
    else this.view.extend(outline);
    return outline;
  }

  #mark(mark: SnapshotMark, restated: boolean): void {
    this.view.setMark(mark, restated);
    if (restated) return;
    if (mark.reset) this.view.sparse.clear();
    this.bytesSinceMark = 0;
  }
}

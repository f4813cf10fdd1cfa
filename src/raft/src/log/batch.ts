import type { ConfState, Entry, HardState } from '../types.ts';
import { ByteWriter } from './bytes.ts';
import type { SnapshotMark, Truncation } from './payloads.ts';
import {
  TRUNCATION_SIZE,
  confStateSize,
  entriesSize,
  entrySize,
  hardStateSize,
  snapshotMarkSize,
  writeConfState,
  writeEntries,
  writeHardState,
  writeSnapshotMark,
  writeTruncation,
} from './payloads.ts';
import { RecordType } from './record.ts';

/** What one atomic append consists of, in the order in which it takes effect. */
export interface BatchContent {
  readonly resetMark?: SnapshotMark | undefined;
  readonly truncation?: Truncation | undefined;
  /** Consecutive. */
  readonly entries: readonly Entry[];
  /** Term of the entry before the first. */
  readonly prevTerm: number;
  readonly hardState?: HardState | undefined;
  readonly mark?: SnapshotMark | undefined;
  readonly confState?: ConfState | undefined;
}

/** A run of entries that shares a record. */
export interface EntryRun {
  readonly first: number;
  readonly count: number;
}

/** Largest payload of a record that holds more than one entry: bounds what reading one old entry costs. */
const RECORD_BYTES = 256 * 1024;

/**
 * A batch on its way to the worker: for each record `type u8 | 3 zero bytes | length u32 | payload`. The worker frames,
 * encrypts and places the records; it does not look into them.
 */
export interface EncodedBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly runs: readonly EntryRun[];
}

interface PendingRecord {
  readonly type: RecordType;
  readonly size: number;
  readonly write: (writer: ByteWriter) => void;
}

export function encodeBatch(content: BatchContent): EncodedBatch {
  const records: PendingRecord[] = [];
  const runs: EntryRun[] = [];
  const { resetMark, truncation, hardState, mark, confState } = content;
  const addMark = (value: SnapshotMark): void => {
    records.push({
      type: RecordType.SnapshotMark,
      size: snapshotMarkSize(value),
      write: (w) => writeSnapshotMark(w, value),
    });
  };
  if (resetMark !== undefined) addMark(resetMark);
  if (truncation !== undefined) {
    records.push({ type: RecordType.Truncate, size: TRUNCATION_SIZE, write: (w) => writeTruncation(w, truncation) });
  }
  let prevTerm = content.prevTerm;
  for (const entries of splitEntries(content.entries)) {
    const before = prevTerm;
    records.push({
      type: RecordType.Entries,
      size: entriesSize(entries),
      write: (w) => writeEntries(w, before, entries),
    });
    runs.push({ first: entries[0]?.index ?? 0, count: entries.length });
    prevTerm = entries.at(-1)?.term ?? prevTerm;
  }
  if (hardState !== undefined) {
    records.push({
      type: RecordType.HardState,
      size: hardStateSize(hardState),
      write: (w) => writeHardState(w, hardState),
    });
  }
  if (mark !== undefined) addMark(mark);
  if (confState !== undefined) {
    records.push({
      type: RecordType.ConfState,
      size: confStateSize(confState),
      write: (w) => writeConfState(w, confState),
    });
  }
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + 8 + record.size, 0));
  const writer = new ByteWriter(bytes);
  for (const record of records) {
    writer.u32(record.type);
    writer.u32(record.size);
    record.write(writer);
  }
  return { bytes, runs };
}

/** The records of an encoded batch; payloads are views. */
export function* batchRecords(
  bytes: Uint8Array,
): Generator<{ readonly type: RecordType; readonly payload: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < bytes.length;) {
    const type = view.getUint8(offset) as RecordType;
    const length = view.getUint32(offset + 4, true);
    yield { type, payload: bytes.subarray(offset + 8, offset + 8 + length) };
    offset += 8 + length;
  }
}

function splitEntries(entries: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  let part: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = entrySize(entry);
    if (part.length > 0 && bytes + size > RECORD_BYTES) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

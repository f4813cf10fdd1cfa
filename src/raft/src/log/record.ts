import { crc32 } from 'node:zlib';
import { align8, readU64, viewOf, writeU64 } from './bytes.ts';

/**
 * Framing of records in a segment:
 *
 *     crc u32 | previous record's crc u32 | payload length u32 | type u8 | flags u8 | position in group u16 | sequence u64 | payload | zeros to 8
 *
 * The crc covers everything after itself and is seeded with the crc of the segment's header, so a record is valid only in its own
 * segment. Carrying the previous crc as a field (rather than only mixing it in) chains the records and still lets recovery
 * recognise a valid record behind a damaged one, which is how corruption is told from an interrupted write.
 */
export const RecordType = {
  /** Consecutive entries. A first index at or below the log's last index replaces the suffix from there. */
  Entries: 1,
  HardState: 2,
  SnapshotMark: 3,
  /** Drops every entry from an index on. */
  Truncate: 4,
  ConfState: 5,
  /** Closes a group: everything since the previous such record was one write, made durable before the next. */
  EndOfGroup: 6,
  /** The segment is complete; the next one exists. */
  Seal: 7,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** The payload is encrypted. */
export const FLAG_ENCRYPTED = 1;
/** Repeats, at the head of a segment, state whose original record lies in an older one. */
export const FLAG_RESTATED = 2;

export const RECORD_HEAD = 24;
/** Of the payload's length within a head. */
export const LENGTH_OFFSET = 8;
const LAST_TYPE = RecordType.Seal;
const KNOWN_FLAGS = FLAG_ENCRYPTED | FLAG_RESTATED;
/** Highest number of records in a group (the position is a u16). */
export const MAX_GROUP_RECORDS = 0xffff;

/** End-of-group payload: ends in a byte pattern that no interrupted write leaves complete by accident. */
export const GROUP_TRAILER: Uint8Array = new TextEncoder().encode('ENDGROUP');
/** Bytes of a whole end-of-group (or seal) record. */
export const TRAILER_RECORD_SIZE = RECORD_HEAD + 8;

export interface RecordHead {
  readonly crc: number;
  readonly prevCrc: number;
  readonly length: number;
  readonly type: RecordType;
  readonly flags: number;
  /** 0 for the first record of a group. */
  readonly position: number;
  readonly sequence: number;
}

/** Bytes a record with this payload takes in the file. */
export function recordSize(payloadLength: number): number {
  return align8(RECORD_HEAD + payloadLength);
}

/**
 * Frames the payload that already stands at `offset + RECORD_HEAD` of `bytes`; padding must already be zero.
 * Returns the record's crc, the `prevCrc` of the next one.
 */
export function sealRecord(bytes: Uint8Array, offset: number, seed: number, head: Omit<RecordHead, 'crc'>): number {
  const view = viewOf(bytes);
  view.setUint32(offset + 4, head.prevCrc, true);
  view.setUint32(offset + LENGTH_OFFSET, head.length, true);
  view.setUint8(offset + 12, head.type);
  view.setUint8(offset + 13, head.flags);
  view.setUint16(offset + 14, head.position, true);
  writeU64(view, offset + 16, head.sequence);
  const crc = crc32(bytes.subarray(offset + 4, offset + RECORD_HEAD + head.length), seed);
  view.setUint32(offset, crc, true);
  return crc;
}

/**
 * The head of a record whose framing is plausible and whose crc is right, whatever its place in the chain; otherwise undefined.
 */
export function recordAt(bytes: Uint8Array, view: DataView, offset: number, seed: number): RecordHead | undefined {
  const head = headAt(bytes, view, offset);
  return head !== undefined && isIntact(bytes, offset, head, seed) ? head : undefined;
}

/** Whether the crc of a record is right. */
export function isIntact(bytes: Uint8Array, offset: number, head: RecordHead, seed: number): boolean {
  return crc32(bytes.subarray(offset + 4, offset + RECORD_HEAD + head.length), seed) === head.crc;
}

/** The head as it stands, if its fields are plausible; the crc is not checked. */
export function headAt(bytes: Uint8Array, view: DataView, offset: number): RecordHead | undefined {
  if (offset + RECORD_HEAD > bytes.length) return undefined;
  const length = view.getUint32(offset + LENGTH_OFFSET, true);
  const type = recordType(view.getUint8(offset + 12));
  const flags = view.getUint8(offset + 13);
  if (type === undefined || (flags & ~KNOWN_FLAGS) !== 0) return undefined;
  if (offset + RECORD_HEAD + length > bytes.length || view.getUint32(offset + 20, true) > 0x1f_ffff) return undefined;
  return {
    crc: view.getUint32(offset, true),
    prevCrc: view.getUint32(offset + 4, true),
    length,
    type,
    flags,
    position: view.getUint16(offset + 14, true),
    sequence: readU64(view, offset + 16),
  };
}

export function payloadAt(bytes: Uint8Array, offset: number, head: RecordHead): Uint8Array {
  return bytes.subarray(offset + RECORD_HEAD, offset + RECORD_HEAD + head.length);
}

function recordType(value: number): RecordType | undefined {
  return value >= 1 && value <= LAST_TYPE ? (value as RecordType) : undefined;
}

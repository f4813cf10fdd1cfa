import { viewOf } from './bytes.ts';
import { GROUP_TRAILER, RECORD_HEAD, RecordType, headAt, payloadAt, recordAt, recordSize } from './record.ts';
import type { RecordHead } from './record.ts';

/** Where the next record of a segment belongs, and what it must chain to. */
export interface ChainPoint {
  readonly offset: number;
  readonly sequence: number;
  readonly prevCrc: number;
}

/** A valid record and its place. The payload is a view of the segment's bytes, still encrypted if the record says so. */
export interface ScannedRecord {
  readonly offset: number;
  readonly head: RecordHead;
  readonly payload: Uint8Array;
}

export interface SegmentScan {
  /** After the last whole group (or the seal). */
  readonly end: ChainPoint;
  readonly sealed: boolean;
  /** Why the scan stopped before a seal: nothing was written there, or what is there is wrong. */
  readonly stop: {
    readonly offset: number;
    readonly sequence: number;
    readonly blank: boolean;
    readonly detail: string;
  };
}

const SECTOR = 512;

/** Reads groups from `start` on and hands each whole one over. Records of an unfinished group are not handed over. */
export function scanSegment(
  bytes: Uint8Array,
  seed: number,
  start: ChainPoint,
  onGroup: (records: readonly ScannedRecord[]) => void,
): SegmentScan {
  const view = viewOf(bytes);
  let end = start;
  let at = start;
  let group: ScannedRecord[] = [];
  for (;;) {
    const stop = (detail: string, blank = false): SegmentScan => ({
      end,
      sealed: false,
      stop: { offset: at.offset, sequence: at.sequence, blank, detail },
    });
    if (isBlank(bytes, at.offset, at.offset + RECORD_HEAD)) return stop('a record is missing', true);
    const head = recordAt(bytes, view, at.offset, seed);
    if (head === undefined) return stop('a record fails its checksum');
    if (head.sequence !== at.sequence || head.prevCrc !== at.prevCrc || head.position !== group.length) {
      return stop('a record is not the successor of the one before it');
    }
    const payload = payloadAt(bytes, at.offset, head);
    const { offset } = at;
    at = { offset: offset + recordSize(head.length), sequence: at.sequence + 1, prevCrc: head.crc };
    if (head.type === RecordType.Seal) {
      return {
        end: at,
        sealed: true,
        stop: { offset: at.offset, sequence: at.sequence, blank: true, detail: 'sealed' },
      };
    }
    if (head.type === RecordType.EndOfGroup) {
      onGroup(group);
      group = [];
      end = at;
    } else {
      group.push({ offset, head, payload });
    }
  }
}

/**
 * Judges what lies behind the last whole group of the newest segment. Every group is made durable before the next one is
 * written, so an interrupted write can only have damaged the one group after `end`:
 * - a valid record of a later group proves that this group had been durable: corruption;
 * - the group's last bytes are there and none of its sectors is unwritten: nothing was interrupted, so corruption;
 * - else the write was interrupted: `torn`, with the end of what it left behind.
 */
export function judgeTail(
  bytes: Uint8Array,
  seed: number,
  end: ChainPoint,
):
  | { readonly kind: 'clean' }
  | { readonly kind: 'torn'; readonly until: number }
  | { readonly kind: 'corrupt'; readonly detail: string } {
  const until = lastWritten(bytes, end.offset);
  if (until === end.offset) return { kind: 'clean' };
  const view = viewOf(bytes);
  const highest = end.sequence + (until - end.offset) / RECORD_HEAD;
  for (let offset = end.offset; offset < until; offset += 8) {
    const head = headAt(bytes, view, offset);
    if (head === undefined || head.sequence > highest || head.sequence - head.position <= end.sequence) continue;
    if (recordAt(bytes, view, offset, seed) !== undefined) {
      return {
        kind: 'corrupt',
        detail: `a later record (${String(head.sequence)}, at byte ${String(offset)}) is intact`,
      };
    }
  }
  if (endsInTrailer(bytes, until) && !hasBlankSector(bytes, end.offset, until)) {
    return { kind: 'corrupt', detail: 'the last write is complete but damaged' };
  }
  return { kind: 'torn', until };
}

/** Offset behind the last byte that is not zero, rounded up to 8; `from` if there is none. */
function lastWritten(bytes: Uint8Array, from: number): number {
  let last = bytes.length;
  while (last > from) {
    const start = Math.max(from, last - ZEROS.length);
    if (Buffer.compare(bytes.subarray(start, last), ZEROS.subarray(0, last - start)) !== 0) break;
    last = start;
  }
  while (last > from && bytes[last - 1] === 0) last--;
  return from + Math.ceil((last - from) / 8) * 8;
}

const ZEROS = new Uint8Array(64 * 1024);

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < Math.min(to, bytes.length); i++) if (bytes[i] !== 0) return false;
  return true;
}

function endsInTrailer(bytes: Uint8Array, until: number): boolean {
  return GROUP_TRAILER.every((byte, i) => bytes[until - GROUP_TRAILER.length + i] === byte);
}

function hasBlankSector(bytes: Uint8Array, from: number, to: number): boolean {
  for (let start = from; start < to;) {
    const next = Math.min(to, (Math.floor(start / SECTOR) + 1) * SECTOR);
    if (isBlank(bytes, start, next)) return true;
    start = next;
  }
  return false;
}

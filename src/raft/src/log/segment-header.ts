import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, viewOf } from './bytes.ts';

/** What a segment says about itself in its first {@link SEGMENT_HEADER_SIZE} bytes. */
export interface SegmentHeader {
  readonly clusterId: string;
  readonly nodeId: string;
  /** 1, 2, 3 … without gaps. */
  readonly segment: number;
  /** Index of the first entry expected in this segment when it was begun. */
  readonly firstIndex: number;
  /** Sequence number of the segment's first record. */
  readonly firstSequence: number;
  /** Crc of the previous segment's last record; 0 in the first segment. */
  readonly prevCrc: number;
  /** Key of the segment's records, empty if they are not encrypted. */
  readonly keyId: string;
  /** Random bytes that make the record checksums of this segment its own. */
  readonly salt: Uint8Array;
}

export const SEGMENT_HEADER_SIZE = 256;
export const SALT_SIZE = 16;
/** Longest cluster id, node id or key id in characters. */
export const MAX_ID_LENGTH = 56;

const MAGIC = new TextEncoder().encode('RAFTWAL\n');
const VERSION = 1;
const CRC_OFFSET = SEGMENT_HEADER_SIZE - 4;

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_SIZE);
  const writer = new ByteWriter(bytes);
  writer.raw(MAGIC);
  writer.u32(VERSION);
  writer.u32(header.prevCrc);
  writer.u64(header.segment);
  writer.u64(header.firstIndex);
  writer.u64(header.firstSequence);
  writer.raw(header.salt);
  writer.text(header.clusterId);
  writer.text(header.nodeId);
  writer.text(header.keyId);
  viewOf(bytes).setUint32(CRC_OFFSET, headerCrc(bytes), true);
  return bytes;
}

/** The header, or the reason why the bytes are none. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | string {
  if (bytes.length < SEGMENT_HEADER_SIZE) return 'the segment header is cut short';
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) return 'the file does not begin like a log segment';
  if (viewOf(bytes).getUint32(CRC_OFFSET, true) !== headerCrc(bytes)) return 'the segment header fails its checksum';
  const reader = new ByteReader(bytes);
  reader.raw(MAGIC.length);
  const version = reader.u32();
  if (version !== VERSION) return `format version ${String(version)} is not known to this program`;
  const prevCrc = reader.u32();
  const segment = reader.u64();
  const firstIndex = reader.u64();
  const firstSequence = reader.u64();
  const salt = reader.raw(SALT_SIZE).slice();
  const clusterId = reader.text();
  const nodeId = reader.text();
  return { clusterId, nodeId, segment, firstIndex, firstSequence, prevCrc, keyId: reader.text(), salt };
}

/** Crc of a header: the seed of its records' crcs, and the `prevCrc` of the first one. */
export function headerCrc(header: Uint8Array): number {
  return crc32(header.subarray(0, CRC_OFFSET));
}

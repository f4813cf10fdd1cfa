import { crc32 } from 'node:zlib';
import type { SnapshotMetadata } from '../types.ts';
import { ByteReader, ByteWriter, textSize, viewOf } from './bytes.ts';
import { NONCE_SALT_SIZE } from './cipher.ts';
import { readSnapshotMark, snapshotMarkSize, writeSnapshotMark } from './payloads.ts';

/**
 * A snapshot file:
 *
 *     header: magic | version u32 | size u32 | salt | cluster id | node id | key id | index, term and configuration | crc u32
 *     blocks: crc u32 | length u32 | number u32 | kind u8, 3 zero bytes | payload (encrypted if there is a key id)
 *
 * The last block is the footer: number of chunks u64, bytes of content u64, SHA-256 of the content. A block's crc covers what
 * follows it and is seeded with the header's crc.
 */
export interface SnapshotHeader {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly keyId: string;
  readonly salt: Uint8Array;
  readonly metadata: SnapshotMetadata;
}

export const BlockKind = { Chunk: 1, Footer: 2 } as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

export interface BlockHead {
  readonly crc: number;
  readonly length: number;
  readonly number: number;
  readonly kind: number;
}

export interface SnapshotFooter {
  readonly chunks: number;
  readonly contentBytes: number;
  readonly digest: Uint8Array;
}

export const BLOCK_HEAD = 16;
export const FOOTER_SIZE = 48;
/** Content bytes of a full chunk. */
export const CHUNK_BYTES = 256 * 1024;
/** Enough to read the fixed start of a header, which says how long the header is. */
export const HEADER_START = 16;
const MAGIC = new TextEncoder().encode('RAFTSNP\n');
const VERSION = 1;
const MAX_HEADER = 16 * 1024 * 1024;

/** `index-term.snap` */
export function snapshotFileName(index: number, term: number): string {
  return `${String(index).padStart(16, '0')}-${String(term)}.snap`;
}

export function parseSnapshotFileName(file: string): { readonly index: number; readonly term: number } | undefined {
  const match = /^(\d{16})-(\d+)\.snap$/.exec(file);
  return match === null ? undefined : { index: Number(match[1]), term: Number(match[2]) };
}

export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const mark = { ...header.metadata, reset: false };
  const ids = textSize(header.clusterId) + textSize(header.nodeId) + textSize(header.keyId);
  const bytes = new Uint8Array(HEADER_START + NONCE_SALT_SIZE + ids + snapshotMarkSize(mark) + 4);
  const writer = new ByteWriter(bytes);
  writer.raw(MAGIC);
  writer.u32(VERSION);
  writer.u32(bytes.length);
  writer.raw(header.salt);
  writer.text(header.clusterId);
  writer.text(header.nodeId);
  writer.text(header.keyId);
  writeSnapshotMark(new ByteWriter(bytes.subarray(writer.offset)), mark);
  viewOf(bytes).setUint32(bytes.length - 4, snapshotHeaderCrc(bytes), true);
  return bytes;
}

/** Size of the whole header given its first {@link HEADER_START} bytes, or why it is none. */
export function snapshotHeaderSize(start: Uint8Array): number | string {
  if (start.length < HEADER_START || !MAGIC.every((byte, i) => start[i] === byte)) {
    return 'the file does not begin like a snapshot';
  }
  const version = viewOf(start).getUint32(8, true);
  if (version !== VERSION) return `format version ${String(version)} is not known to this program`;
  const size = viewOf(start).getUint32(12, true);
  return size > HEADER_START && size <= MAX_HEADER ? size : 'the snapshot header is damaged';
}

export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader | string {
  if (viewOf(bytes).getUint32(bytes.length - 4, true) !== snapshotHeaderCrc(bytes)) {
    return 'the snapshot header fails its checksum';
  }
  const reader = new ByteReader(bytes);
  reader.raw(HEADER_START);
  const salt = reader.raw(NONCE_SALT_SIZE).slice();
  const clusterId = reader.text();
  const nodeId = reader.text();
  const keyId = reader.text();
  const { index, term, confState } = readSnapshotMark(bytes.subarray(reader.offset));
  return { clusterId, nodeId, keyId, salt, metadata: { index, term, confState } };
}

export function snapshotHeaderCrc(header: Uint8Array): number {
  return crc32(header.subarray(0, header.length - 4));
}

/** Fills in the head of a block whose payload already stands behind it. */
export function sealBlock(block: Uint8Array, seed: number, kind: BlockKind, number: number): void {
  const view = viewOf(block);
  view.setUint32(4, block.length - BLOCK_HEAD, true);
  view.setUint32(8, number, true);
  view.setUint32(12, kind, true);
  view.setUint32(0, crc32(block.subarray(4), seed), true);
}

export function readBlockHead(bytes: Uint8Array): BlockHead {
  const view = viewOf(bytes);
  return {
    crc: view.getUint32(0, true),
    length: view.getUint32(4, true),
    number: view.getUint32(8, true),
    kind: view.getUint32(12, true),
  };
}

export function isBlockIntact(block: Uint8Array, seed: number): boolean {
  return crc32(block.subarray(4), seed) === viewOf(block).getUint32(0, true);
}

/** What a block's ciphertext is bound to besides the header. */
export function blockContext(header: Uint8Array, kind: BlockKind, number: number): readonly Uint8Array[] {
  const place = new Uint8Array(8);
  viewOf(place).setUint32(0, kind, true);
  viewOf(place).setUint32(4, number, true);
  return [Buffer.concat([header, place])];
}

export function encodeFooter(footer: SnapshotFooter): Uint8Array {
  const bytes = new Uint8Array(FOOTER_SIZE);
  const writer = new ByteWriter(bytes);
  writer.u64(footer.chunks);
  writer.u64(footer.contentBytes);
  writer.raw(footer.digest);
  return bytes;
}

export function decodeFooter(bytes: Uint8Array): SnapshotFooter {
  const reader = new ByteReader(bytes);
  return { chunks: reader.u64(), contentBytes: reader.u64(), digest: reader.raw(32).slice() };
}

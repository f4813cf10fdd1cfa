import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SnapshotMetadata } from '../types.ts';
import { CIPHER_OVERHEAD, decrypt } from './cipher.ts';
import { LogCorruptError, LogIdentityError, LogKeyError } from './errors.ts';
import {
  BLOCK_HEAD,
  BlockKind,
  CHUNK_BYTES,
  FOOTER_SIZE,
  HEADER_START,
  blockContext,
  decodeFooter,
  decodeSnapshotHeader,
  isBlockIntact,
  readBlockHead,
  snapshotHeaderCrc,
  snapshotHeaderSize,
} from './snapshot-format.ts';
import type { SnapshotFooter, SnapshotHeader } from './snapshot-format.ts';
import type { SnapshotFileOptions } from './snapshot-writer.ts';

/** Content of a snapshot as a stream of chunks. */
export interface SnapshotContent {
  readonly metadata: SnapshotMetadata;
  /** Bytes of the whole content. */
  readonly contentBytes: number;
  /** SHA-256 of the whole content. */
  readonly digest: Uint8Array;
  /** May be iterated again. Rejects with {@link LogCorruptError} at the first chunk that is damaged. */
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Reads a snapshot file, verifying every chunk and finally the whole. */
export class SnapshotReader implements SnapshotContent {
  readonly keyId: string;
  readonly metadata: SnapshotMetadata;
  readonly contentBytes: number;
  readonly digest: Uint8Array;
  readonly #file: FileHandle;
  readonly #name: string;
  readonly #header: Uint8Array;
  readonly #key: Uint8Array | undefined;
  readonly #footer: SnapshotFooter;
  readonly #footerOffset: number;

  private constructor(parts: {
    readonly file: FileHandle;
    readonly name: string;
    readonly rawHeader: Uint8Array;
    readonly header: SnapshotHeader;
    readonly key: Uint8Array | undefined;
    readonly footer: SnapshotFooter;
    readonly footerOffset: number;
  }) {
    this.keyId = parts.header.keyId;
    this.metadata = parts.header.metadata;
    this.contentBytes = parts.footer.contentBytes;
    this.digest = parts.footer.digest;
    this.#file = parts.file;
    this.#name = parts.name;
    this.#header = parts.rawHeader;
    this.#key = parts.key;
    this.#footer = parts.footer;
    this.#footerOffset = parts.footerOffset;
  }

  /**
   * Opens a snapshot file and checks its header and footer. Rejects with {@link LogCorruptError}, {@link LogIdentityError} (another
   * cluster's) or {@link LogKeyError}.
   */
  static async open(path: string, options: SnapshotFileOptions): Promise<SnapshotReader> {
    const file = await open(path, 'r');
    try {
      const name = basename(path);
      const rawHeader = await readHeader(file, name);
      const header = decodeSnapshotHeader(rawHeader);
      if (typeof header === 'string') throw new LogCorruptError({ file: name, offset: 0 }, header);
      if (header.clusterId !== options.clusterId)
        throw new LogIdentityError(name, 'cluster', header.clusterId, options.clusterId);
      if (header.nodeId !== options.nodeId) throw new LogIdentityError(name, 'node', header.nodeId, options.nodeId);
      const key = options.keys?.keys.get(header.keyId);
      if (header.keyId !== '' && key === undefined) throw new LogKeyError(name, header.keyId);
      const size = BLOCK_HEAD + FOOTER_SIZE + (key === undefined ? 0 : CIPHER_OVERHEAD);
      const footerOffset = (await file.stat()).size - size;
      const block = await readExactly(file, Math.max(0, footerOffset), size);
      const payload = block === undefined ? undefined : openBlock(block, rawHeader, key, BlockKind.Footer);
      if (payload === undefined)
        throw new LogCorruptError(
          { file: name, offset: Math.max(0, footerOffset) },
          'the snapshot has no valid footer',
        );
      return new SnapshotReader({ file, name, rawHeader, header, key, footer: decodeFooter(payload), footerOffset });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let offset = this.#header.length;
    let bytes = 0;
    for (let number = 0; number < this.#footer.chunks; number++) {
      const content = await this.#chunk(offset, number);
      offset += BLOCK_HEAD + content.length + (this.#key === undefined ? 0 : CIPHER_OVERHEAD);
      bytes += content.length;
      hash.update(content);
      yield content;
    }
    if (
      offset !== this.#footerOffset ||
      bytes !== this.contentBytes ||
      Buffer.compare(hash.digest(), this.digest) !== 0
    ) {
      throw new LogCorruptError({ file: this.#name, offset }, 'the snapshot is not what its footer says');
    }
  }

  /** Reads everything once. */
  async verify(): Promise<void> {
    const chunks = this.chunks();
    while (!((await chunks.next()).done ?? false));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #chunk(offset: number, number: number): Promise<Uint8Array> {
    const head = await readExactly(this.#file, offset, BLOCK_HEAD);
    const length = head === undefined ? 0 : readBlockHead(head).length;
    const fits = length <= CHUNK_BYTES + CIPHER_OVERHEAD;
    const block = fits ? await readExactly(this.#file, offset, BLOCK_HEAD + length) : undefined;
    const content =
      block === undefined ? undefined : openBlock(block, this.#header, this.#key, BlockKind.Chunk, number);
    if (content === undefined)
      throw new LogCorruptError({ file: this.#name, offset, sequence: number }, 'a chunk is damaged');
    return content;
  }
}

async function readHeader(file: FileHandle, name: string): Promise<Uint8Array> {
  const start = await readExactly(file, 0, HEADER_START);
  const size = start === undefined ? 'the file is cut short' : snapshotHeaderSize(start);
  if (typeof size === 'string') throw new LogCorruptError({ file: name, offset: 0 }, size);
  const header = await readExactly(file, 0, size);
  if (header === undefined) throw new LogCorruptError({ file: name, offset: 0 }, 'the file is cut short');
  return header;
}

/** The plain payload of a block of this kind (and number), if it is intact. */
function openBlock(
  block: Uint8Array,
  header: Uint8Array,
  key: Uint8Array | undefined,
  kind: BlockKind,
  number?: number,
): Uint8Array | undefined {
  const head = readBlockHead(block);
  if (
    head.kind !== kind ||
    (number !== undefined && head.number !== number) ||
    head.length !== block.length - BLOCK_HEAD
  )
    return undefined;
  if (!isBlockIntact(block, snapshotHeaderCrc(header))) return undefined;
  const payload = block.subarray(BLOCK_HEAD);
  return key === undefined ? payload : decrypt(payload, key, blockContext(header, kind, head.number));
}

async function readExactly(file: FileHandle, offset: number, size: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const { bytesRead } = await file.read(bytes, at, size - at, offset + at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return bytes;
}

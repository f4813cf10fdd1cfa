import { createHash, randomBytes } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot, SnapshotMetadata } from '../types.ts';
import { CIPHER_OVERHEAD, NONCE_SALT_SIZE, encryptInto } from './cipher.ts';
import { DiskFullError, LogCorruptError } from './errors.ts';
import type { LogKeys } from './keys.ts';
import { SYNC_BYTES, TEMPORARY, syncDirectory } from './segment-files.ts';
import {
  BLOCK_HEAD,
  BlockKind,
  CHUNK_BYTES,
  blockContext,
  encodeFooter,
  encodeSnapshotHeader,
  sealBlock,
  snapshotFileName,
  snapshotHeaderCrc,
} from './snapshot-format.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { isOutOfSpace } from './spare-files.ts';

const SYNC_BLOCKS = SYNC_BYTES / CHUNK_BYTES;

export interface SnapshotFileOptions {
  readonly directory: string;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly keys: LogKeys | undefined;
}

/** What the content must turn out to be, if the sender said so. */
export interface ExpectedContent {
  readonly contentBytes?: number | undefined;
  /** SHA-256 of the content. */
  readonly digest?: Uint8Array | undefined;
}

/** What is known of a snapshot file without opening it. */
export interface SnapshotFacts {
  readonly contentBytes: number;
  readonly keyId: string;
}

/**
 * Writes a snapshot as a stream. Nothing is visible under the snapshot's name until {@link publish}, which syncs the file, reads it
 * back, compares it with what is expected and renames it. Calls must not overlap. Lack of space rejects with {@link DiskFullError}.
 */
export class SnapshotWriter {
  readonly metadata: SnapshotMetadata;
  /** '' if the snapshot is not encrypted. */
  readonly keyId: string;
  readonly #options: SnapshotFileOptions;
  readonly #onPublished: (facts: SnapshotFacts) => void;
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #header: Uint8Array;
  readonly #seed: number;
  readonly #salt: Uint8Array;
  readonly #key: Uint8Array | undefined;
  readonly #hash: Hash = createHash('sha256');
  #chunk = new Uint8Array(CHUNK_BYTES);
  #used = 0;
  #blocks = 0;
  #contentBytes = 0;
  #done = false;

  private constructor(
    options: SnapshotFileOptions,
    metadata: SnapshotMetadata,
    onPublished: (facts: SnapshotFacts) => void,
    file: FileHandle,
    temporary: string,
  ) {
    const { clusterId, nodeId, keys } = options;
    this.#options = options;
    this.metadata = metadata;
    this.#onPublished = onPublished;
    this.#file = file;
    this.#temporary = temporary;
    this.#salt = randomBytes(NONCE_SALT_SIZE);
    this.keyId = keys?.current ?? '';
    this.#key = keys?.keys.get(this.keyId);
    this.#header = encodeSnapshotHeader({ clusterId, nodeId, keyId: this.keyId, salt: this.#salt, metadata });
    this.#seed = snapshotHeaderCrc(this.#header);
  }

  /** @param onPublished Told as soon as the snapshot is visible. */
  static async create(
    options: SnapshotFileOptions,
    metadata: SnapshotMetadata,
    onPublished: (facts: SnapshotFacts) => void,
  ): Promise<SnapshotWriter> {
    const suffix = randomBytes(4).toString('hex');
    const temporary = join(
      options.directory,
      `${snapshotFileName(metadata.index, metadata.term)}.${suffix}${TEMPORARY}`,
    );
    const writer = new SnapshotWriter(options, metadata, onPublished, await open(temporary, 'wx'), temporary);
    await writer.#guard(() => writer.#append(writer.#header));
    return writer;
  }

  /** Published or given up. */
  get isDone(): boolean {
    return this.#done;
  }

  /** Bytes of content taken so far. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** Adds content. Boundaries between calls are not kept. */
  async write(content: Uint8Array): Promise<void> {
    this.#hash.update(content);
    this.#contentBytes += content.length;
    await this.#guard(async () => {
      for (let at = 0; at < content.length;) {
        const part = content.subarray(at, at + CHUNK_BYTES - this.#used);
        this.#chunk.set(part, this.#used);
        this.#used += part.length;
        at += part.length;
        if (this.#used === CHUNK_BYTES) await this.#flushChunk();
      }
    });
  }

  /**
   * Makes the snapshot durable and visible. Rejects with {@link LogCorruptError} if what was written is not what was expected.
   * The returned snapshot's data is a reference to the file.
   */
  async publish(expected: ExpectedContent = {}): Promise<Snapshot> {
    const name = snapshotFileName(this.metadata.index, this.metadata.term);
    await this.#guard(async () => {
      if (this.#used > 0) await this.#flushChunk();
      const digest = this.#hash.digest();
      const footer = encodeFooter({ chunks: this.#blocks, contentBytes: this.#contentBytes, digest });
      await this.#appendBlock(BlockKind.Footer, footer);
      await this.#file.sync();
      await this.#file.close();
      const reader = await SnapshotReader.open(this.#temporary, this.#options);
      try {
        if (expected.contentBytes !== undefined && expected.contentBytes !== reader.contentBytes) {
          throw new LogCorruptError(
            { file: name, offset: 0 },
            `the snapshot has ${String(reader.contentBytes)} bytes instead of ${String(expected.contentBytes)}`,
          );
        }
        if (expected.digest !== undefined && Buffer.compare(expected.digest, digest) !== 0) {
          throw new LogCorruptError({ file: name, offset: 0 }, 'the snapshot is not the one that was sent');
        }
        await reader.verify();
      } finally {
        await reader.close();
      }
      await rename(this.#temporary, join(this.#options.directory, name));
      syncDirectory(this.#options.directory);
    });
    this.#done = true;
    this.#onPublished({ contentBytes: this.#contentBytes, keyId: this.#options.keys?.current ?? '' });
    return { data: new TextEncoder().encode(name), metadata: this.metadata };
  }

  /** Gives up; nothing stays behind. Harmless after {@link publish}. */
  async abort(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }

  async #flushChunk(): Promise<void> {
    const content = this.#chunk.subarray(0, this.#used);
    this.#used = 0;
    await this.#appendBlock(BlockKind.Chunk, content);
    if (this.#blocks % SYNC_BLOCKS === 0) await this.#file.datasync();
  }

  async #appendBlock(kind: BlockKind, payload: Uint8Array): Promise<void> {
    const key = this.#key;
    const number = this.#blocks;
    const block = new Uint8Array(BLOCK_HEAD + payload.length + (key === undefined ? 0 : CIPHER_OVERHEAD));
    const target = block.subarray(BLOCK_HEAD);
    if (key === undefined) target.set(payload);
    else encryptInto(target, payload, key, this.#salt, number, blockContext(this.#header, kind, number));
    sealBlock(block, this.#seed, kind, number);
    if (kind === BlockKind.Chunk) this.#blocks++;
    await this.#append(block);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += (await this.#file.write(bytes, at)).bytesWritten;
  }

  /** Removes the unfinished file on any error. */
  async #guard(action: () => Promise<void>): Promise<void> {
    if (this.#done) throw new Error('the snapshot is already finished');
    try {
      await action();
    } catch (error) {
      await this.abort();
      throw isOutOfSpace(error) ? new DiskFullError('no room for a snapshot', { cause: error }) : error;
    }
  }
}

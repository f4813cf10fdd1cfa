import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isMainThread, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { isSyncFailure } from './errors.ts';
import { nodeLogFiles } from './log-files.ts';
import { WATERMARK_FILE, syncDirectory } from './segment-files.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SpareFiles, isOutOfSpace } from './spare-files.ts';
import { Watermark } from './watermark.ts';
import type { FromWorker, ToWorker, WorkerData } from './worker-protocol.ts';

/**
 * The thread that owns the log's files, but for what {@link QuickWriter} writes while there is nothing to do here. It takes every batch that is waiting, writes them as one group, syncs once and answers
 * once. Reads of the port between two groups are synchronous, so under load it never returns to its event loop.
 */

type Append = Extract<ToWorker, { readonly kind: 'append' }>;

/** Bytes of batches taken into one group, at most; also at most this part of a segment, so that groups fit into what is prepared. */
const GROUP_BYTES = 4 * 1024 * 1024;
const GROUPS_PER_SEGMENT = 4;
const GROUP_BATCHES = 4096;
const RETRY_MS = 500;

class LogWorker {
  readonly #port: MessagePort;
  readonly #directory: string;
  readonly #groupBytes: number;
  readonly #writer: SegmentWriter;
  readonly #spares: SpareFiles;
  readonly #watermark: Watermark;
  readonly #queue: Append[] = [];
  #prepared: string | undefined;
  #removal: Promise<void> = Promise.resolve();
  #running = false;
  #closing = false;

  constructor({ port, start }: WorkerData) {
    const { directory, clusterId, nodeId, segmentBytes } = start;
    this.#port = port;
    this.#directory = directory;
    this.#groupBytes = Math.min(GROUP_BYTES, segmentBytes / GROUPS_PER_SEGMENT);
    this.#spares = new SpareFiles({
      directory,
      bytes: segmentBytes,
      onFull: (error) => this.#send({ kind: 'full', detail: text(error) }),
      onRoom: () => this.#send({ kind: 'room' }),
      onFailure: (error) => this.#fail(error),
    });
    const options = { directory, clusterId, nodeId, segmentBytes, files: nodeLogFiles, randomBytes };
    this.#writer = new SegmentWriter(options, start.keys, start.tail, start.standing);
    this.#watermark = new Watermark(join(directory, WATERMARK_FILE));
    this.#spares.prepare();
    port.on('message', (message: ToWorker) => {
      this.#take(message);
      this.#run().catch((error: unknown) => this.#fail(error));
    });
  }

  #take(message: ToWorker): void {
    switch (message.kind) {
      case 'append':
        this.#queue.push(message);
        break;
      case 'written':
        this.#writer.goOn(message);
        break;
      case 'keys':
        this.#writer.setKeys(message.keys);
        break;
      case 'remove':
        this.#removal = this.#removal
          .then(() => this.#remove(message.files))
          .catch((error: unknown) => this.#fail(error));
        break;
      case 'close':
        this.#closing = true;
        break;
    }
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      await this.#write(group);
      this.#queue.splice(0, group.length);
      for (let more = receiveMessageOnPort(this.#port); more !== undefined; more = receiveMessageOnPort(this.#port)) {
        this.#take(more.message as ToWorker);
      }
    }
    this.#running = false;
    if (this.#closing) await this.#close();
  }

  #nextGroup(): readonly Append[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: batch } of this.#queue) {
      if (count > 0 && (bytes + batch.length > this.#groupBytes || count >= GROUP_BATCHES)) break;
      bytes += batch.length;
      count++;
    }
    return this.#queue.slice(0, count);
  }

  /** Returns when the group is durable. Lack of space only delays it; any other failure is final. */
  async #write(group: readonly Append[]): Promise<void> {
    const batches = group.map((append) => append.bytes);
    const first = group[0];
    const last = group.at(-1);
    if (first === undefined || last === undefined) return;
    for (;;) {
      try {
        if (this.#writer.needsSegment(batches)) {
          this.#prepared ??= await this.#spares.take();
          const begun = this.#writer.beginSegment(this.#prepared, first.nextIndex);
          this.#prepared = undefined;
          this.#send({ kind: 'segment', ...begun });
        }
        const startedMs = performance.now();
        const { places, bytes } = this.#writer.writeGroup(batches);
        const tookMs = performance.now() - startedMs;
        // Before anybody is told: a log that ends before what it acknowledged is then known to have lost something.
        this.#watermark.write(this.#writer.sequence);
        this.#send({ kind: 'appended', id: last.id, places, bytes, end: this.#writer.end, tookMs });
        this.#spares.prepare();
        return;
      } catch (error) {
        if (!isOutOfSpace(error) || isSyncFailure(error)) throw error;
        this.#spares.releaseReserve(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Oldest first and one after the other, so that a crash never leaves a gap. */
  async #remove(files: readonly string[]): Promise<void> {
    for (const file of files) {
      await rm(join(this.#directory, file), { force: true });
      syncDirectory(this.#directory);
    }
    this.#spares.prepare();
  }

  async #close(): Promise<void> {
    await this.#removal;
    await this.#spares.stop();
    this.#watermark.write(this.#writer.sequence);
    this.#watermark.close();
    this.#writer.close();
    this.#send({ kind: 'closed' });
    this.#port.close();
  }

  #fail(error: unknown): void {
    this.#send({ kind: 'failed', detail: text(error) });
    this.#port.close();
  }

  #send(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (!isMainThread) new LogWorker(workerData as WorkerData);

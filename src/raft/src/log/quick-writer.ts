import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { LogKeys } from './keys.ts';
import { nodeLogFiles } from './log-files.ts';
import { WATERMARK_FILE } from './segment-files.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { SegmentBegun, WriterTail, WrittenElsewhere } from './segment-writer.ts';
import type { ChainPoint } from './segment-scan.ts';
import type { RecordPlace } from './sparse-index.ts';
import { Watermark } from './watermark.ts';
import type { WorkerStart } from './worker-protocol.ts';

/** Larger batches are the worker's: framing and encrypting them is work of its own. */
const MAX_BYTES = 16 * 1024;

export interface QuickWrite {
  readonly places: readonly RecordPlace[];
  readonly bytes: number;
  /** Milliseconds the disk took. */
  readonly tookMs: number;
}

/**
 * Writes small batches in the thread of the log's owner while the worker has nothing to write. For one who waits for a single write, waking
 * the worker and being woken by it takes as long as a quick disk. Both take turns on the same segment and tell each other where they ended;
 * whoever calls sees to that nothing is under way in the worker.
 */
export class QuickWriter {
  readonly #start: WorkerStart;
  #keys: LogKeys | undefined;
  #tail: WriterTail | undefined;
  #writer: SegmentWriter | undefined;
  #watermark: Watermark | undefined;
  #news: WrittenElsewhere | undefined;

  constructor(start: WorkerStart) {
    this.#start = start;
    this.#keys = start.keys;
    this.#tail = start.tail;
  }

  setKeys(keys: LogKeys | undefined): void {
    this.#keys = keys;
    this.#writer?.setKeys(keys);
  }

  /** The worker began a segment; {@link follow} will say where its first group ended. */
  begun({ file, header }: SegmentBegun): void {
    this.#closeSegment();
    this.#tail = { file, header, end: { offset: 0, sequence: 0, prevCrc: 0 } };
  }

  /** The worker has written up to here. */
  follow(end: ChainPoint): void {
    if (this.#tail !== undefined) this.#tail = { ...this.#tail, end };
    this.#writer?.goOn({ end, hardState: undefined });
  }

  /** Writes and syncs a batch; undefined if that is not for here. Throws what a sync throws; other failures leave it to the worker. */
  write(batch: Uint8Array): QuickWrite | undefined {
    if (batch.length > MAX_BYTES || this.#tail === undefined) return undefined;
    this.#writer ??= this.#open(this.#tail);
    const writer = this.#writer;
    if (writer.needsSegment([batch])) return undefined;
    const startedMs = performance.now();
    const written = writer.writeGroup([batch]);
    const tookMs = performance.now() - startedMs;
    // As in the worker: before anybody is told.
    this.#watermark ??= new Watermark(join(this.#start.directory, WATERMARK_FILE));
    this.#watermark.write(writer.sequence);
    this.#news = { end: writer.end, hardState: writer.hardState };
    return { ...written, tookMs };
  }

  /** What the worker has to know before it writes or closes anything; undefined if it knows. */
  takeNews(): WrittenElsewhere | undefined {
    const news = this.#news;
    this.#news = undefined;
    return news;
  }

  close(): void {
    this.#closeSegment();
    this.#watermark?.close();
    this.#watermark = undefined;
    this.#tail = undefined;
  }

  #open(tail: WriterTail): SegmentWriter {
    const { directory, clusterId, nodeId, segmentBytes } = this.#start;
    const options = { directory, clusterId, nodeId, segmentBytes, files: nodeLogFiles, randomBytes };
    return new SegmentWriter(options, this.#keys, tail, {});
  }

  #closeSegment(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }
}

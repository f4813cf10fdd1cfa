import type { MessagePort } from 'node:worker_threads';
import type { LogKeys } from './keys.ts';
import type { ChainPoint } from './segment-scan.ts';
import type { SegmentBegun, StandingState, WriterTail, WrittenElsewhere } from './segment-writer.ts';
import type { RecordPlace } from './sparse-index.ts';

/** What the log's worker is started with. */
export interface WorkerStart {
  readonly directory: string;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly segmentBytes: number;
  readonly keys: LogKeys | undefined;
  readonly tail: WriterTail | undefined;
  readonly standing: StandingState;
}

/** What its thread is given: the port for both directions. */
export interface WorkerData {
  readonly start: WorkerStart;
  readonly port: MessagePort;
}

export type ToWorker =
  /** One encoded batch; ids rise by one. `nextIndex` is the index of its first entry, or the one after the last. */
  | { readonly kind: 'append'; readonly id: number; readonly bytes: Uint8Array; readonly nextIndex: number }
  /** The log's own thread has written up to here, and nothing of the worker's is under way: it goes on behind that. */
  | ({ readonly kind: 'written' } & WrittenElsewhere)
  | { readonly kind: 'keys'; readonly keys: LogKeys | undefined }
  /** Removes the files of segments that are no longer needed. */
  | { readonly kind: 'remove'; readonly files: readonly string[] }
  | { readonly kind: 'close' };

export type FromWorker =
  /**
   * Everything up to batch `id` is durable; writing and syncing `bytes` took `tookMs`. `places` are those of the entries records
   * since the last report, in order; `end` is where the next group begins.
   */
  | {
      readonly kind: 'appended';
      readonly id: number;
      readonly places: readonly RecordPlace[];
      readonly bytes: number;
      readonly end: ChainPoint;
      readonly tookMs: number;
    }
  | ({ readonly kind: 'segment' } & SegmentBegun)
  | { readonly kind: 'full'; readonly detail: string }
  | { readonly kind: 'room' }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'closed' };

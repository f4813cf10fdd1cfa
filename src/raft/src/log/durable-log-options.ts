import type { PeerId } from '../types.ts';
import type { DiskFullError, LogFatalError } from './errors.ts';
import { checkId, checkKeys } from './keys.ts';
import type { LogKeys } from './keys.ts';
import type { RecoveryOptions } from './recovery.ts';

export interface DurableLogOptions {
  /** Created if missing. Belongs to this log alone. */
  readonly directory: string;
  /** 1 to 56 printable ASCII characters. */
  readonly clusterId: string;
  readonly nodeId: PeerId;
  /** Bytes of one segment; three such files exist at least. Default 8 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Bytes of newest entries kept in memory; slow followers get older ones from the disk. Default 8 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Encrypts everything written from now on. */
  readonly keys?: LogKeys | undefined;
  /** The log failed and will never acknowledge anything again: the process must end. */
  readonly onFatal: (error: LogFatalError) => void;
  /** Space ran out: step down and refuse proposals. What was acknowledged is safe, the rest waits for room. */
  readonly onDiskFull?: ((error: DiskFullError) => void) | undefined;
  /** Space is back. */
  readonly onDiskRoom?: (() => void) | undefined;
}

export interface DurableLogStats {
  /** Groups made durable, each with one write and one sync. */
  readonly groups: number;
  /** All syncs of segments on behalf of appends, including those for new segments. */
  readonly fsyncs: number;
  readonly bytesWritten: number;
  readonly batches: number;
  readonly segments: number;
  readonly cacheBytes: number;
  /** Batches appended and not yet durable. */
  readonly pendingBatches: number;
  /** Bytes of an interrupted write cut off when the log was opened. */
  readonly tornBytes: number;
}

const DEFAULT_SEGMENT_BYTES = 8 * 1024 * 1024;
const DEFAULT_CACHE_BYTES = 8 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 16 * 1024;

/** Fills in the defaults. Throws RangeError for values that make no sense. */
export function recoveryOptions(options: DurableLogOptions): RecoveryOptions {
  const {
    directory,
    clusterId,
    nodeId,
    keys,
    segmentBytes = DEFAULT_SEGMENT_BYTES,
    cacheBytes = DEFAULT_CACHE_BYTES,
  } = options;
  checkId('cluster id', clusterId);
  checkId('node id', nodeId);
  if (keys !== undefined) checkKeys(keys);
  if (segmentBytes < MIN_SEGMENT_BYTES) {
    throw new RangeError(`segment size ${String(segmentBytes)} is below ${String(MIN_SEGMENT_BYTES)} bytes`);
  }
  return { directory, clusterId, nodeId, segmentBytes, keys, cacheBytes };
}

import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Names of the files in a log directory. */
export const SPARE_FILE = 'spare';
export const RESERVE_FILE = 'reserve';
export const LOCK_FILE = 'lock';
export const WATERMARK_FILE = 'synced';
/** Ending of files that are being written and mean nothing after a crash. */
export const TEMPORARY = '.tmp';
/** A file that is written as a whole is synced every so many bytes: the log's own small writes would wait for all of it. */
export const SYNC_BYTES = 1024 * 1024;

export interface SegmentName {
  readonly segment: number;
  readonly file: string;
}

/** `NNNNNNNN-firstindex.wal`. */
export function segmentFileName(segment: number, firstIndex: number): string {
  return `${String(segment).padStart(8, '0')}-${String(firstIndex).padStart(16, '0')}.wal`;
}

/** The log segments among the files of a directory, oldest first. */
export function segmentsAmong(files: readonly string[]): SegmentName[] {
  const found: SegmentName[] = [];
  for (const file of files) {
    const match = /^(\d{8,})-\d{16,}\.wal$/.exec(file);
    if (match !== null) found.push({ segment: Number(match[1]), file });
  }
  return found.sort((a, b) => a.segment - b.segment);
}

/** Makes created, renamed and removed names in a directory durable. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogCorruptError } from './errors.ts';
import { decodeSegmentHeader, headerCrc, SEGMENT_HEADER_SIZE } from './segment-header.ts';
import { scanSegment } from './segment-scan.ts';

/**
 * Reads a segment that is complete (sealed) and verifies the checksum and chain of every record, so that damage in old entries is found
 * while other members still have them. Rejects with {@link LogCorruptError}.
 */
export async function scrubSegment(directory: string, file: string): Promise<void> {
  const bytes = await readFile(join(directory, file));
  const header = decodeSegmentHeader(bytes);
  if (typeof header === 'string') throw new LogCorruptError({ file, offset: 0 }, header);
  const seed = headerCrc(bytes.subarray(0, SEGMENT_HEADER_SIZE));
  const start = { offset: SEGMENT_HEADER_SIZE, sequence: header.firstSequence, prevCrc: seed };
  const { sealed, stop } = scanSegment(bytes, seed, start, () => undefined);
  if (!sealed) throw new LogCorruptError({ file, offset: stop.offset, sequence: stop.sequence }, stop.detail);
}

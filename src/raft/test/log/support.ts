import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach } from 'vitest';
import { DurableLog } from '../../src/log/durable-log.ts';
import type { DurableLogOptions } from '../../src/log/durable-log-options.ts';
import type { LogBatch } from '../../src/log/log-store.ts';
import { EntryType } from '../../src/types.ts';
import type { ConfState, Entry, HardState } from '../../src/types.ts';

const directories: string[] = [];
const logs: DurableLog[] = [];

afterEach(async () => {
  for (const log of logs.splice(0)) await log.abandon();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

export function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'raft-log-'));
  directories.push(directory);
  return directory;
}

export const SEGMENT_BYTES = 64 * 1024;

export async function openLog(directory: string, options: Partial<DurableLogOptions> = {}): Promise<DurableLog> {
  const log = await DurableLog.open({
    directory,
    clusterId: 'cluster',
    nodeId: '1',
    segmentBytes: SEGMENT_BYTES,
    onFatal: (error) => {
      throw error;
    },
    ...options,
  });
  logs.push(log);
  return log;
}

export function append(log: DurableLog, batch: LogBatch): Promise<void> {
  return new Promise((resolve) => {
    log.append(batch, resolve);
  });
}

export function anEntry(index: number, term = 1, data: string | Uint8Array = `entry ${String(index)}`): Entry {
  return {
    type: EntryType.Normal,
    term,
    index,
    data: typeof data === 'string' ? new TextEncoder().encode(data) : data,
  };
}

export function entriesFrom(first: number, count: number, term = 1): Entry[] {
  return Array.from({ length: count }, (_, i) => anEntry(first + i, term));
}

export function hardState(term: number, commit = 0, vote = '1'): HardState {
  return { term, vote, commit };
}

export function confState(...voters: string[]): ConfState {
  return { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
}

/** Everything readable in a log. */
export function contents(log: DurableLog): { first: number; last: number; texts: string[]; hardState: HardState } {
  const first = log.firstIndex();
  const last = log.lastIndex();
  const found = first > last ? [] : log.entries(first, last + 1, Infinity);
  if (typeof found === 'string') throw new Error(found);
  const texts = found.map(
    (entry) => `${String(entry.index)}/${String(entry.term)}:${Buffer.from(entry.data).toString()}`,
  );
  return { first, last, texts, hardState: log.initialState().hardState };
}

/** A copy of a log directory as a crash would leave it, without the lock. */
export function copyOf(directory: string, without: readonly string[] = []): string {
  const copy = aDirectory();
  cpSync(directory, copy, {
    recursive: true,
    filter: (source) =>
      !['lock', 'spare', 'reserve', ...without].includes(basename(source)) && !source.endsWith('.tmp'),
  });
  return copy;
}

export function segmentFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.wal'))
    .sort();
}

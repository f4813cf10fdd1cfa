/** Logs to do faults to, written by the real log, with what a start must find in them. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DurableLog } from '../../log/durable-log.ts';
import type { LogKeys } from '../../log/keys.ts';
import type { LogBatch } from '../../log/log-store.ts';
import { LOCK_FILE, RESERVE_FILE, SPARE_FILE, WATERMARK_FILE } from '../../log/segment-files.ts';
import { EntryType } from '../../types.ts';
import type { Entry } from '../../types.ts';
import { SeededRandom } from '../random.ts';
import type { Files } from './faults.ts';
import { recovered, SEGMENT_BYTES } from './recovered.ts';
import type { Recovered } from './recovered.ts';

const KEYS: LogKeys = { keys: new Map([['key', new Uint8Array(32).fill(9)]]), current: 'key' };

export interface Subject {
  readonly name: string;
  readonly files: Files;
  readonly keys: LogKeys | undefined;
  /** What a start must find. */
  readonly whole: Recovered;
  /** What it may find as well, if the last write was never acknowledged. */
  readonly withoutLastWrite: Recovered | undefined;
}

/** A closed log, a killed one, an encrypted one, and one that was interrupted in its last write. */
export async function makeSubjects(): Promise<Subject[]> {
  return [
    await makeSubject('closed', undefined, 'close'),
    await makeSubject('killed', undefined, 'kill'),
    await makeSubject('encrypted', KEYS, 'kill'),
    await makeSubject('interrupted', undefined, 'interrupt'),
    await makeSubject('interrupted and encrypted', KEYS, 'interrupt'),
  ];
}

async function makeSubject(
  name: string,
  keys: LogKeys | undefined,
  end: 'close' | 'kill' | 'interrupt',
): Promise<Subject> {
  const directory = await mkdtemp(join(tmpdir(), 'raft-disk-faults-'));
  const log = await DurableLog.open({
    directory,
    clusterId: 'cluster',
    nodeId: '1',
    segmentBytes: SEGMENT_BYTES,
    keys,
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    await fill(log);
    const before = await readAll(directory);
    if (end === 'interrupt')
      await append(log, { entries: entriesFrom(log.lastIndex() + 1, 6, 3, new SeededRandom(2)) });
    if (end === 'close') await log.close();
    const files = await readAll(directory);
    if (end !== 'interrupt')
      return { name, files, keys, whole: await recovered(files, keys), withoutLastWrite: undefined };
    const watermark = before.get(WATERMARK_FILE);
    if (watermark !== undefined) files.set(WATERMARK_FILE, watermark);
    const withoutLastWrite = await recovered(before, keys);
    return { name, files, keys, whole: await recovered(files, keys), withoutLastWrite };
  } finally {
    await log.abandon();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Several segments with entries of all sizes, replaced suffixes, votes, commits, a snapshot and the removal of what it covers. */
async function fill(log: DurableLog): Promise<void> {
  const random = new SeededRandom(1);
  for (let group = 0; group < 60; group++) {
    const term = 1 + Math.floor(group / 25);
    const replaced = group % 9 === 5 ? 2 : 0;
    const first = log.lastIndex() + 1 - replaced;
    const commit = Math.max(0, log.lastIndex() - 4);
    const hardState = { term, vote: String(1 + (term % 3)), commit };
    await append(log, { entries: entriesFrom(first, 1 + random.below(6), term, random), hardState });
    if (group !== 30) continue;
    const confState = {
      voters: ['1', '2', '3'],
      learners: ['4'],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    const metadata = { index: commit, term: Number(log.term(commit)), confState };
    await log.createSnapshot(metadata, [new Uint8Array(20_000).fill(5)]);
    log.compact(commit - 10);
  }
}

function append(log: DurableLog, batch: LogBatch): Promise<void> {
  return new Promise((resolve) => {
    log.append(batch, resolve);
  });
}

function entriesFrom(first: number, count: number, term: number, random: SeededRandom): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const data = Uint8Array.from({ length: random.chance(0.1) ? 2000 : random.below(300) }, () => random.below(256));
    return { type: EntryType.Normal, term, index: first + i, data };
  });
}

async function readAll(directory: string): Promise<Files> {
  const files: Files = new Map();
  for (const name of (await readdir(directory)).sort()) {
    if (name === LOCK_FILE || name.startsWith(SPARE_FILE) || name.startsWith(RESERVE_FILE)) continue;
    // A copy: a Buffer's slice() would not be one.
    files.set(name, new Uint8Array(await readFile(join(directory, name))));
  }
  return files;
}

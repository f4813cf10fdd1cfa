/** What a start finds in the files of a log, all of it, in a form that can be compared. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogKeys } from '../../log/keys.ts';
import { checkSnapshotsExist } from '../../log/log-directory.ts';
import { recoverLog } from '../../log/recovery.ts';
import { snapshotFileName } from '../../log/snapshot-format.ts';
import { SnapshotReader } from '../../log/snapshot-reader.ts';
import { SimulatedDisk } from '../simulation/disk.ts';
import type { Files } from './faults.ts';

/** Small, so that a log has several. */
export const SEGMENT_BYTES = 16 * 1024;
const IDENTITY = { clusterId: 'cluster', nodeId: '1' };
/** Snapshots that were read before: most faults are done to other files. */
const verified = new Map<Uint8Array, string>();

export interface Recovered {
  /** Everything that a node must have, as text. */
  readonly needed: string;
  /** Entries the snapshot covers, as text: compaction may remove the oldest ones at any time. */
  readonly covered: readonly string[];
}

/** Whether nothing is wrong and nothing is missing. */
export function isSame(found: Recovered, expected: Recovered): boolean {
  const offset = expected.covered.length - found.covered.length;
  return found.needed === expected.needed && found.covered.every((text, i) => text === expected.covered[offset + i]);
}

/** Rejects as the log does when it is opened. */
export async function recovered(files: Files, keys: LogKeys | undefined): Promise<Recovered> {
  const disk = new SimulatedDisk();
  for (const [name, bytes] of files) disk.create(name, bytes.slice());
  const found = recoverLog({
    ...IDENTITY,
    directory: '',
    segmentBytes: SEGMENT_BYTES,
    keys,
    cacheBytes: Infinity,
    keepEntries: true,
    files: disk,
  });
  checkSnapshotsExist([...files.keys()], found);
  const { base, lastIndex, mark, hardState, confState, cache } = found.view;
  const entries: string[] = [];
  for (let index = base.index + 1; index <= lastIndex; index++) {
    const entry = cache.get(index);
    const data = createHash('sha256').update(entry?.data ?? '');
    entries.push(`${index}: ${entry?.term ?? ''} ${entry?.type ?? ''} ${data.digest('hex')}`);
  }
  const covered = entries.splice(0, Math.max(0, mark.index - base.index));
  const snapshot = mark.index === 0 ? '' : await contentOf(files, snapshotFileName(mark.index, mark.term), keys);
  return { needed: JSON.stringify({ lastIndex, mark, hardState, confState, snapshot, entries }), covered };
}

/** Verifies a snapshot as a start and the first reading do; the digest of its content. */
async function contentOf(files: Files, name: string, keys: LogKeys | undefined): Promise<string> {
  const bytes = files.get(name) ?? new Uint8Array(0);
  const known = verified.get(bytes);
  if (known !== undefined) return known;
  const directory = await mkdtemp(join(tmpdir(), 'raft-disk-faults-'));
  try {
    await writeFile(join(directory, name), bytes);
    const reader = await SnapshotReader.open(join(directory, name), { ...IDENTITY, directory, keys });
    try {
      const hash = createHash('sha256').update(JSON.stringify(reader.metadata));
      for await (const chunk of reader.chunks()) hash.update(chunk);
      const digest = hash.digest('hex');
      verified.set(bytes, digest);
      return digest;
    } finally {
      await reader.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

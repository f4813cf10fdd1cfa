import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryLock } from './directory-lock.ts';
import { LogCorruptError } from './errors.ts';
import { recoverLog } from './recovery.ts';
import type { RecoveredLog, RecoveryOptions } from './recovery.ts';
import { RESERVE_FILE, SPARE_FILE, TEMPORARY } from './segment-files.ts';
import { SnapshotFiles } from './snapshot-files.ts';
import { parseSnapshotFileName, snapshotFileName } from './snapshot-format.ts';
import { isOutOfSpace } from './spare-files.ts';

/** A log directory that belongs to this process, with all that was found in it. */
export interface OpenedDirectory {
  readonly lock: DirectoryLock;
  readonly recovered: RecoveredLog;
  readonly snapshots: SnapshotFiles;
}

/** Locks a directory (created if missing), recovers the log in it and removes what an earlier run left unfinished. */
export async function openDirectory(options: RecoveryOptions): Promise<OpenedDirectory> {
  const { directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = acquireLock(directory);
  try {
    for (const file of readdirSync(directory)) {
      if (file.endsWith(TEMPORARY)) rmSync(join(directory, file), { force: true });
    }
    const recovered = recoverLog(options);
    checkSnapshotsExist(readdirSync(directory), recovered);
    const snapshots = new SnapshotFiles(options);
    await snapshots.settle(recovered.view.mark);
    return { lock, recovered, snapshots };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** On a full disk not even a lock fits; room that was set aside is given up for it, if nobody else uses the directory. */
function acquireLock(directory: string): DirectoryLock {
  for (const setAside of [SPARE_FILE, RESERVE_FILE]) {
    try {
      return DirectoryLock.acquire(directory);
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      rmSync(join(directory, setAside), { force: true });
    }
  }
  return DirectoryLock.acquire(directory);
}

/** A log without the snapshot it relies on, or snapshots without their log, are a loss: throws {@link LogCorruptError}. */
export function checkSnapshotsExist(files: readonly string[], { view, tail }: RecoveredLog): void {
  const found = files.map(parseSnapshotFileName).filter((file) => file !== undefined);
  const { index, term } = view.mark;
  if (index > 0 && !found.some((file) => file.index === index && file.term === term)) {
    throw new LogCorruptError(
      { file: snapshotFileName(index, term), offset: 0 },
      'the snapshot the log relies on is missing',
    );
  }
  const orphan = found[0];
  if (tail === undefined && orphan !== undefined) {
    throw new LogCorruptError(
      { file: snapshotFileName(orphan.index, orphan.term), offset: 0 },
      'there are snapshots but no log segments',
    );
  }
}

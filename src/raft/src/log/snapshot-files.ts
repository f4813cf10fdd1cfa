import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SnapshotMetadata } from '../types.ts';
import type { LogKeys } from './keys.ts';
import { TEMPORARY } from './segment-files.ts';
import { parseSnapshotFileName, snapshotFileName } from './snapshot-format.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { SnapshotFileOptions } from './snapshot-writer.ts';

/** The snapshot files of a log directory. */
export class SnapshotFiles {
  #options: SnapshotFileOptions;

  constructor(options: SnapshotFileOptions) {
    this.#options = options;
  }

  setKeys(keys: LogKeys | undefined): void {
    this.#options = { ...this.#options, keys };
  }

  write(metadata: SnapshotMetadata): Promise<SnapshotWriter> {
    return SnapshotWriter.create(this.#options, metadata);
  }

  open(metadata: { readonly index: number; readonly term: number }): Promise<SnapshotReader> {
    return SnapshotReader.open(join(this.#options.directory, snapshotFileName(metadata.index, metadata.term)), this.#options);
  }

  /** Removes snapshots below an index, which the one at that index replaces. */
  async removeBelow(index: number): Promise<void> {
    await this.#remove((found) => found.index < index);
  }

  /** After a start: removes everything but the snapshot the log relies on. */
  async removeAllBut(kept: { readonly index: number; readonly term: number }): Promise<void> {
    await this.#remove((found) => found.index !== kept.index || found.term !== kept.term);
    for (const file of await readdir(this.#options.directory)) {
      if (file.includes('.snap.') && file.endsWith(TEMPORARY)) await rm(join(this.#options.directory, file), { force: true });
    }
  }

  async #remove(choose: (found: { readonly index: number; readonly term: number }) => boolean): Promise<void> {
    for (const file of await readdir(this.#options.directory)) {
      const found = parseSnapshotFileName(file);
      if (found !== undefined && choose(found)) await rm(join(this.#options.directory, file), { force: true });
    }
  }
}

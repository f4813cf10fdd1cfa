import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SnapshotMetadata } from '../types.ts';
import type { LogKeys } from './keys.ts';
import { TEMPORARY } from './segment-files.ts';
import { parseSnapshotFileName, snapshotFileName } from './snapshot-format.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import type { SnapshotFacts, SnapshotFileOptions } from './snapshot-writer.ts';

/** Names a snapshot. */
export interface SnapshotKey {
  readonly index: number;
  readonly term: number;
}

/** The snapshot files of a log directory. */
export class SnapshotFiles {
  #options: SnapshotFileOptions;
  /** Of every published file, by name. */
  readonly #facts = new Map<string, SnapshotFacts>();
  /** Whose snapshots may still be published, under the key they began with. */
  readonly #writers = new Set<SnapshotWriter>();

  constructor(options: SnapshotFileOptions) {
    this.#options = options;
  }

  setKeys(keys: LogKeys | undefined): void {
    this.#options = { ...this.#options, keys };
  }

  async write(metadata: SnapshotMetadata): Promise<SnapshotWriter> {
    const onPublished = (facts: SnapshotFacts): void => void this.#facts.set(nameOf(metadata), facts);
    const writer = await SnapshotWriter.create(this.#options, metadata, onPublished);
    this.#writers.add(writer);
    return writer;
  }

  /** Keys of the published snapshots and of those being written; '' stands for none. */
  keyIds(): ReadonlySet<string> {
    for (const writer of this.#writers) if (writer.isDone) this.#writers.delete(writer);
    return new Set([...this.#facts.values(), ...this.#writers].map(({ keyId }) => keyId));
  }

  open(key: SnapshotKey): Promise<SnapshotReader> {
    return SnapshotReader.open(join(this.#options.directory, nameOf(key)), this.#options);
  }

  /** Reads a snapshot once; rejects with LogCorruptError if it is damaged. */
  async verify(key: SnapshotKey): Promise<void> {
    const reader = await this.open(key);
    try {
      await reader.verify();
    } finally {
      await reader.close();
    }
  }

  /** What is known of a published snapshot; undefined if there is none. */
  facts(key: SnapshotKey): SnapshotFacts | undefined {
    return this.#facts.get(nameOf(key));
  }

  /** Removes snapshots below an index, which the one at that index replaces. */
  async removeBelow(index: number): Promise<void> {
    await this.#remove((found) => found.index < index);
  }

  /**
   * After a start: checks the snapshot the log relies on (none if its index is 0) and removes everything else. Rejects as
   * {@link open} does.
   */
  async settle(kept: SnapshotKey): Promise<void> {
    if (kept.index > 0) {
      const reader = await this.open(kept);
      await reader.close();
      const { contentBytes, keyId } = reader;
      this.#facts.set(nameOf(kept), { contentBytes, keyId });
    }
    await this.#remove((found) => found.index !== kept.index || found.term !== kept.term);
    for (const file of await readdir(this.#options.directory)) {
      if (file.includes('.snap.') && file.endsWith(TEMPORARY))
        await rm(join(this.#options.directory, file), { force: true });
    }
  }

  async #remove(choose: (found: SnapshotKey) => boolean): Promise<void> {
    for (const file of await readdir(this.#options.directory)) {
      const found = parseSnapshotFileName(file);
      if (found === undefined || !choose(found)) continue;
      this.#facts.delete(file);
      await rm(join(this.#options.directory, file), { force: true });
    }
  }
}

function nameOf({ index, term }: SnapshotKey): string {
  return snapshotFileName(index, term);
}

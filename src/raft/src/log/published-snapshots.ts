import { EMPTY_SNAPSHOT } from '../storage.ts';
import type { Snapshot, SnapshotMetadata } from '../types.ts';
import type { AppendPath } from './append-path.ts';
import type { LogView } from './log-view.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { snapshotFileName } from './snapshot-format.ts';

/** The snapshot the log relies on, and how another one takes its place: file first, then its mark in the log, then the old file goes. */
export class PublishedSnapshots {
  readonly #files: SnapshotFiles;
  readonly #view: LogView;
  readonly #path: AppendPath;
  #newest: Snapshot;
  /** The snapshot being made, or the last one. */
  #making: Promise<unknown> = Promise.resolve();
  /** The removal of older snapshots. */
  #removing: Promise<unknown> = Promise.resolve();

  constructor(files: SnapshotFiles, view: LogView, path: AppendPath) {
    this.#files = files;
    this.#view = view;
    this.#path = path;
    this.#newest = snapshotOf(view.mark);
  }

  get newest(): Snapshot {
    return this.#newest;
  }

  /** Resolves when no snapshot is being made. */
  get made(): Promise<unknown> {
    return this.#making;
  }

  /** Resolves when older snapshots are removed. */
  get removed(): Promise<unknown> {
    return this.#removing;
  }

  /** See {@link LogStore.createSnapshot}. */
  create(metadata: SnapshotMetadata, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<boolean> {
    const making = this.#create(metadata, content);
    this.#making = making.catch(() => undefined);
    return making;
  }

  /** The mark of a snapshot is durable: it is the newest from now on. */
  publish(metadata: SnapshotMetadata): void {
    if (metadata.index <= this.#newest.metadata.index) return;
    this.#newest = snapshotOf(metadata);
    // A file that can not be removed does no harm; the next start tries again.
    this.#removing = this.#files.removeBelow(metadata.index).catch(() => undefined);
  }

  async #create(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const term = this.#view.termAt(metadata.index);
    if (term !== metadata.term)
      throw new Error(
        `snapshot at ${String(metadata.index)} has term ${String(metadata.term)}, the log ${String(term)}`,
      );
    const bytesBefore = this.#path.bytesSinceSnapshot;
    const writer = await this.#files.write(metadata);
    try {
      for await (const chunk of content) {
        if (this.#isSuperseded(metadata)) return false;
        await writer.write(chunk);
      }
      if (this.#isSuperseded(metadata)) return false;
      await writer.publish();
    } finally {
      await writer.abort();
    }
    if (this.#isSuperseded(metadata)) return false;
    await new Promise<void>((resolve) => {
      this.#path.write({ sync: true }, { ...metadata, reset: false }, () => {
        this.publish(metadata);
        resolve();
      });
    });
    this.#path.covered(bytesBefore);
    await this.#removing;
    return true;
  }

  #isSuperseded(metadata: SnapshotMetadata): boolean {
    return this.#view.mark.index >= metadata.index || !this.#path.isOpen;
  }
}

function snapshotOf({ index, term, confState }: SnapshotMetadata): Snapshot {
  if (index === 0) return EMPTY_SNAPSHOT;
  return { data: new TextEncoder().encode(snapshotFileName(index, term)), metadata: { index, term, confState } };
}

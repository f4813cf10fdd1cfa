import { MemoryLog } from '../log/memory-log.ts';
import type { LogBatch } from '../log/log-store.ts';
import type { SnapshotMetadata } from '../types.ts';

type Operation =
  | { readonly kind: 'batch'; readonly batch: LogBatch; isDurable: boolean }
  | { readonly kind: 'made' | 'received'; readonly metadata: SnapshotMetadata; readonly content: Uint8Array };

/** A log in memory that remembers what was done to it, so that what a crash leaves can be played into the log of the next process. */
export class RecordingLog extends MemoryLog {
  readonly #operations: Operation[] = [];

  override append(batch: LogBatch, done: () => void): void {
    const operation: Operation = { kind: 'batch', batch, isDurable: false };
    this.#operations.push(operation);
    super.append(batch, () => {
      operation.isDurable = true;
      done();
    });
  }

  override async createSnapshot(
    metadata: SnapshotMetadata,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    const isNewest = await super.createSnapshot(metadata, parts);
    if (isNewest) this.#operations.push({ kind: 'made', metadata, content: Buffer.concat(parts) });
    return isNewest;
  }

  override receive(metadata: SnapshotMetadata, content: Uint8Array): void {
    super.receive(metadata, content);
    this.#operations.push({ kind: 'received', metadata, content });
  }

  /** Does to `next` all that was durable here, and at most `more` of the writes that were not: always a beginning of what was done. */
  async replayInto(next: RecordingLog, more: number): Promise<void> {
    let left = more;
    for (const operation of this.#operations) {
      if (operation.kind === 'batch') {
        if (!operation.isDurable && left-- <= 0) break;
        next.append(operation.batch, () => undefined);
      } else if (operation.kind === 'received') next.receive(operation.metadata, operation.content);
      else await next.createSnapshot(operation.metadata, [operation.content]);
    }
  }
}

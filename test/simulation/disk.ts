/** The log of a simulated manager: writes become durable one after the other, some time later; a crash keeps a beginning of what was not. */
import { MemoryLog, type LogBatch, type SnapshotMetadata } from 'raft-ts';
import type { Random } from '../../src/common/random.ts';
import type { Timeline } from './timeline.ts';

type Operation =
  | { readonly kind: 'batch'; readonly batch: LogBatch; isDurable: boolean }
  | { readonly kind: 'made' | 'received'; readonly metadata: SnapshotMetadata; readonly content: Uint8Array };

/** Where a log's writes go; read back by {@link SimulatedLog.afterCrash}, they take no time. */
interface Device {
  isReplaying: boolean;
  isGone: boolean;
  busyUntilMs: number;
}

export class SimulatedLog extends MemoryLog {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #latencyMs: number;
  readonly #device: Device;
  readonly #operations: Operation[] = [];

  constructor(timeline: Timeline, random: Random, latencyMs: number) {
    const device: Device = { isReplaying: false, isGone: false, busyUntilMs: 0 };
    super((task) => {
      if (device.isReplaying) return task();
      const tail = random() < 0.02 ? 20 : 1;
      device.busyUntilMs = Math.max(device.busyUntilMs, timeline.monotonic()) + latencyMs * tail * random();
      timeline.setTimer(device.busyUntilMs - timeline.monotonic(), () => {
        if (!device.isGone) task();
      });
    });
    this.#timeline = timeline;
    this.#random = random;
    this.#latencyMs = latencyMs;
    this.#device = device;
  }

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

  /** What the next process finds; nothing is called back any more here. */
  async afterCrash(): Promise<SimulatedLog> {
    this.#device.isGone = true;
    const next = new SimulatedLog(this.#timeline, this.#random, this.#latencyMs);
    next.#device.isReplaying = true;
    let kept = Math.floor(this.#random() * 3);
    for (const operation of this.#operations) {
      if (operation.kind === 'batch') {
        if (!operation.isDurable && kept-- <= 0) break;
        next.append(operation.batch, () => undefined);
      } else if (operation.kind === 'received') next.receive(operation.metadata, operation.content);
      else await next.createSnapshot(operation.metadata, [operation.content]);
    }
    next.#device.isReplaying = false;
    return next;
  }
}

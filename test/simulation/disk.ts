/** The log of a simulated manager: writes become durable one after the other, some time later; a crash keeps a beginning of what was not. */
import { RecordingLog } from 'raft-ts/testing';
import type { Random } from '../../src/common/random.ts';
import type { Timeline } from './timeline.ts';

/** Where a log's writes go; while an earlier log is played into it, they take no time. */
interface Device {
  isReplaying: boolean;
  isGone: boolean;
  busyUntilMs: number;
}

export class SimulatedLog extends RecordingLog {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #latencyMs: number;
  readonly #device: Device;

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

  /** What the next process finds; nothing is called back any more here. */
  async afterCrash(): Promise<SimulatedLog> {
    this.#device.isGone = true;
    const next = new SimulatedLog(this.#timeline, this.#random, this.#latencyMs);
    next.#device.isReplaying = true;
    await this.replayInto(next, Math.floor(this.#random() * 3));
    next.#device.isReplaying = false;
    return next;
  }
}

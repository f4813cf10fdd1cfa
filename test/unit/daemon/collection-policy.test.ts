import { describe, expect, it } from 'vitest';
import { CollectionPolicy, type MemoryReading } from '../../../src/daemon/collection-policy.ts';

const MB = 1024 * 1024;
const LOOK_MS = 2_000;

/** A process that is looked at every two seconds. */
class Process {
  reading: MemoryReading = { atMs: 0, cpuMs: 0, heapUsed: 40 * MB, heapTotal: 50 * MB, external: 5 * MB };
  readonly policy: CollectionPolicy;

  constructor({ isPatient = false } = {}) {
    this.policy = new CollectionPolicy(this.reading, isPatient);
  }

  /** Time passes; whether a collection is worth it then. @param share of a core used meanwhile */
  look(memory: Partial<MemoryReading> = {}, share = 0, ms = LOOK_MS): boolean {
    const { atMs, cpuMs } = this.reading;
    this.reading = { ...this.reading, ...memory, atMs: atMs + ms, cpuMs: cpuMs + ms * share };
    return this.policy.isWorthIt(this.reading);
  }

  /** A collection that takes so long and leaves this. */
  collect(costMs: number, memory: Partial<MemoryReading> = {}): void {
    const { atMs, cpuMs } = this.reading;
    this.policy.begin(this.reading);
    this.reading = { ...this.reading, ...memory, atMs: atMs + costMs, cpuMs: cpuMs + costMs };
    this.policy.end(this.reading);
  }
}

describe('collecting garbage', () => {
  it('is left alone as long as nothing has grown', () => {
    const process = new Process();
    for (let i = 0; i < 100; i++) expect(process.look()).toBe(false);
  });

  it('waits until the process is quiet', () => {
    const process = new Process();
    expect(process.look({ heapUsed: 200 * MB, heapTotal: 250 * MB }, 0.9)).toBe(false);
    expect(process.look({}, 0.1)).toBe(true);
  });

  it.each([
    ['objects', { heapUsed: 90 * MB }],
    ['buffers', { external: 40 * MB }],
    ['the room alone, since V8 collected by itself', { heapTotal: 200 * MB }],
  ])('follows growth of %s', (_what, grown) => {
    expect(new Process().look(grown)).toBe(true);
  });

  it('takes a small share of the time, less of a process that has something to do', () => {
    for (const { share, rest } of [
      { share: 0, rest: 40 },
      { share: 0.4, rest: 200 },
    ]) {
      const process = new Process();
      process.collect(100);
      let looks = 1;
      while (!process.look({ heapUsed: 60 * MB, heapTotal: 70 * MB, external: 20 * MB }, share)) looks++;
      expect(looks * LOOK_MS).toBeGreaterThan(100 * rest);
      expect(looks * LOOK_MS).toBeLessThanOrEqual(100 * rest + 2 * LOOK_MS);
    }
  });

  it('goes on as long as a heap with too much room gives some of it back', () => {
    const process = new Process();
    process.look({ heapUsed: 300 * MB, heapTotal: 400 * MB });
    process.collect(10, { heapUsed: 100 * MB, heapTotal: 390 * MB });
    expect(process.look()).toBe(true);
    process.collect(10, { heapTotal: 250 * MB });
    expect(process.look()).toBe(true);
    process.collect(10, { heapTotal: 248 * MB });
    expect(process.look()).toBe(false);
  });

  it('moves a small heap together, and a large one only where nobody waits', () => {
    const small = new Process().reading;
    const large = { ...small, heapUsed: 500 * MB, heapTotal: 600 * MB };
    expect(new Process().policy.begin(small)).toBe('at-once');
    expect(new Process().policy.begin(large)).toBe('in-steps');
    expect(new Process({ isPatient: true }).policy.begin(large)).toBe('at-once');
  });

  it('is done once at a time', () => {
    const process = new Process();
    expect(process.policy.begin(process.reading)).toBeDefined();
    expect(process.policy.begin(process.reading)).toBeUndefined();
    expect(process.look({ heapUsed: 400 * MB, heapTotal: 500 * MB })).toBe(false);
    process.policy.end(process.reading);
    expect(process.policy.begin(process.reading)).toBeDefined();
  });
});

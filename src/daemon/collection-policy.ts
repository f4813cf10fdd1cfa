/** When it is worth its time to collect the garbage of a process that is otherwise quiet. Pure: it is told what was measured. */

/** What a process used and holds at a moment. */
export interface MemoryReading {
  /** Monotonic time, in ms. */
  readonly atMs: number;
  /** Processor time of the process until then, in ms. */
  readonly cpuMs: number;
  /** Bytes of objects on the heap, garbage among them. */
  readonly heapUsed: number;
  /** Bytes of room the heap has for objects. */
  readonly heapTotal: number;
  /** Bytes of buffers outside of the heap. */
  readonly external: number;
}

/**
 * How to collect: `at-once` moves all objects together, which V8 does by itself only when memory runs out (those of many connections lie
 * scattered among what is gone), while the process does nothing else; `in-steps` goes on between other work.
 */
export type CollectionManner = 'at-once' | 'in-steps';

/**
 * Share of one core the process may have used since the last look to count as quiet. Not the time it was busy: on a machine with much
 * other work it is busy waiting for its turn.
 */
const QUIET = 0.5;
/** The same, to count as idle. */
const IDLE = 0.25;
/** Memory in use, or the room of the heap, must have grown by this factor since the last collection. */
const GROWTH = 1.25;
/** Collecting may take one part in so many of the time: of a quiet process, of an idle one, and of one that nobody waits for. */
const SHARE_OF_TIME = { quiet: 200, idle: 40, patient: 20 } as const;
/** What collecting in steps counts for of that: most of it is done in threads of their own, and nobody waits. */
const WEIGHT_OF_STEPS = 0.25;
/** So many times the room its objects need is too much for a heap. */
const SPARSE = 1.5;
/** Share of its room a heap must have given back by a collection for another one to be worth it. */
const GIVEN_BACK = 0.05;
/** Bytes of objects up to which moving them together takes no longer than one may wait: some 100 ms. */
const SMALL = 64 * 1024 * 1024;

export class CollectionPolicy {
  readonly #isPatient: boolean;
  #looked: MemoryReading;
  /** What was held after the last collection, or at the start. */
  #kept: MemoryReading;
  #costMs = 0;
  /** Since when a collection is under way. */
  #began: MemoryReading | undefined;
  /** Bytes of room left to a heap that will give back more by the next collection; undefined when there is nothing to go on with. */
  #shrunkTo: number | undefined;

  /** @param isPatient whether nobody waits for the process, so that a large heap may be moved together too, which takes seconds */
  constructor(start: MemoryReading, isPatient: boolean) {
    this.#isPatient = isPatient;
    this.#looked = start;
    this.#kept = start;
  }

  /** Whether a collection is worth it, given what the process did since the last look. */
  isWorthIt(now: MemoryReading): boolean {
    const share = (now.cpuMs - this.#looked.cpuMs) / (now.atMs - this.#looked.atMs);
    this.#looked = now;
    if (this.#began || share >= QUIET || (this.#shrunkTo === undefined && !this.#hasGrown(now))) return false;
    const busy = this.#isPatient ? 'patient' : share < IDLE ? 'idle' : 'quiet';
    return now.atMs - this.#kept.atMs > this.#costMs * SHARE_OF_TIME[busy];
  }

  /** A collection begins; how it is to be done, or undefined when one is under way already. */
  begin(now: MemoryReading): CollectionManner | undefined {
    if (this.#began) return undefined;
    this.#began = now;
    return this.#mannerFor(now);
  }

  /** The collection that {@link begin} allowed has ended. */
  end(now: MemoryReading): void {
    const began = this.#began;
    if (!began) return;
    this.#began = undefined;
    this.#costMs = (now.cpuMs - began.cpuMs) * (this.#mannerFor(began) === 'at-once' ? 1 : WEIGHT_OF_STEPS);
    this.#kept = now;
    // The first of several finds what is garbage, and gives back little.
    this.#shrunkTo = sparseRoom(now, this.#shrunkTo ?? Number.POSITIVE_INFINITY);
  }

  #mannerFor({ heapUsed }: MemoryReading): CollectionManner {
    return this.#isPatient || heapUsed < SMALL ? 'at-once' : 'in-steps';
  }

  /** V8 may have collected by itself while the process was busy: then only the room is too large. */
  #hasGrown(now: MemoryReading): boolean {
    return inUse(now) > inUse(this.#kept) * GROWTH || now.heapTotal > this.#kept.heapTotal * GROWTH;
  }
}

const inUse = ({ heapUsed, external }: MemoryReading): number => heapUsed + external;

/** Bytes of room of the heap if much of it is not needed by objects, and some of what it had before was given back. */
function sparseRoom({ heapTotal, heapUsed }: MemoryReading, before: number): number | undefined {
  return heapTotal > heapUsed * SPARSE && heapTotal < before * (1 - GIVEN_BACK) ? heapTotal : undefined;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBatch } from '../../src/log/batch.ts';
import type { BatchContent } from '../../src/log/batch.ts';
import { LogCorruptError } from '../../src/log/errors.ts';
import type { LogKeys } from '../../src/log/keys.ts';
import type { LogView } from '../../src/log/log-view.ts';
import { recoverLog } from '../../src/log/recovery.ts';
import type { RecoveredLog } from '../../src/log/recovery.ts';
import { SegmentWriter } from '../../src/log/segment-writer.ts';
import type { Entry } from '../../src/types.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import { DiskCrash, SimulatedDisk } from '../../src/testing/simulation/disk.ts';
import { anEntry, confState } from './support.ts';

const SEGMENT = 4096;
const KEYS: LogKeys = { keys: new Map([['k1', new Uint8Array(32).fill(1)]]), current: 'k1' };

/** One random step: what fraction of the log to keep, what to append, how far to commit, whether to mark a snapshot or to reset. */
interface Step {
  readonly keep: number;
  readonly appendCount: number;
  readonly size: number;
  readonly commit: number;
  readonly mark: 'none' | 'own' | 'peer';
}

const aStep: fc.Arbitrary<Step> = fc.record({
  keep: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
  appendCount: fc.integer({ min: 0, max: 5 }),
  size: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 400, max: 1500 })),
  commit: fc.double({ min: 0, max: 1, noNaN: true }),
  mark: fc.oneof(
    { weight: 8, arbitrary: fc.constant('none' as const) },
    fc.constantFrom('own' as const, 'peer' as const),
  ),
});

/** Turns a step into a batch that is legal for the state it meets, and changes the model with it. */
function batchFor(view: LogView, step: Step, term: number): BatchContent {
  const { commit } = view.hardState;
  if (step.mark === 'peer') {
    const resetMark = { index: view.lastIndex + 3, term, confState: confState('1', '2'), reset: true };
    view.setMark(resetMark, false);
    view.setHardState({ term, vote: '1', commit: resetMark.index });
    return { resetMark, entries: [], prevTerm: 0, hardState: view.hardState };
  }
  const kept = Math.max(commit, Math.floor(view.lastIndex * step.keep), view.base.index);
  const prevTerm = view.termAt(kept) ?? 0;
  const entries: Entry[] = Array.from({ length: step.appendCount }, (_, i) =>
    anEntry(kept + 1 + i, term, 'd'.repeat(step.size)),
  );
  const truncation = kept < view.lastIndex && entries.length === 0 ? { from: kept + 1, prevTerm } : undefined;
  if (truncation !== undefined) view.truncate(truncation);
  view.append(prevTerm, entries);
  const newCommit = commit + Math.floor((view.lastIndex - commit) * step.commit);
  view.setHardState({ term, vote: '1', commit: newCommit });
  const marked = view.hardState.commit;
  const own =
    step.mark === 'own' && marked > view.mark.index
      ? { index: marked, term: view.termAt(marked) ?? 0, confState: confState('1'), reset: false }
      : undefined;
  if (own !== undefined) view.setMark(own, false);
  return { truncation, entries, prevTerm, hardState: view.hardState, mark: own };
}

function stateOf(view: LogView): unknown {
  const entries: string[] = [];
  for (let index = view.base.index + 1; index <= view.lastIndex; index++) {
    const entry = view.cache.get(index);
    entries.push(`${String(index)}/${String(view.termAt(index))}/${String(entry?.term)}:${String(entry?.data.length)}`);
  }
  const { index, term, confState: conf } = view.mark;
  return { base: view.base, entries, hardState: view.hardState, mark: { index, term, conf }, conf: view.confState };
}

function recover(files: SimulatedDisk, keys: LogKeys | undefined): RecoveredLog {
  const options = {
    directory: '',
    clusterId: 'c',
    nodeId: '1',
    segmentBytes: SEGMENT,
    cacheBytes: Infinity,
    keepEntries: true,
  };
  return recoverLog({ ...options, keys, files });
}

/** Runs steps until the disk crashes; returns the states the log may be in after recovery. */
function runUntilCrash(
  disk: SimulatedDisk,
  start: RecoveredLog,
  steps: readonly Step[],
  keys: LogKeys | undefined,
  term: number,
): unknown[] {
  let saltCounter = term * 1000;
  const randomBytes = (size: number): Uint8Array => new Uint8Array(size).fill(++saltCounter % 251);
  const { view } = start;
  let allowed = [stateOf(view)];
  try {
    const options = { directory: '/', clusterId: 'c', nodeId: '1', segmentBytes: SEGMENT, files: disk, randomBytes };
    const writer = new SegmentWriter(options, keys, start.tail, start.standing);
    for (const [i, step] of steps.entries()) {
      const nextIndex = view.lastIndex + 1;
      const batch = encodeBatch(batchFor(view, step, term + i)).bytes;
      allowed = [allowed.at(-1), stateOf(view)];
      if (writer.needsSegment([batch])) {
        disk.create('spare', new Uint8Array(SEGMENT));
        writer.beginSegment('spare', nextIndex);
      }
      writer.writeGroup([batch]);
      allowed = [stateOf(view)];
    }
  } catch (error) {
    if (!(error instanceof DiskCrash)) throw error;
  }
  return allowed;
}

describe('a crash of the disk', () => {
  for (const keys of [undefined, KEYS]) {
    it(`leaves exactly what was durable, or one group more (${keys === undefined ? 'plain' : 'encrypted'})`, () => {
      fc.assert(
        fc.property(
          fc.array(aStep, { minLength: 1, maxLength: 25 }),
          fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 4 }),
          fc.integer({ min: 0 }),
          (steps, crashes, seed) => {
            const random = new SeededRandom(seed);
            const disk = new SimulatedDisk();
            let term = 1;
            for (const operations of crashes) {
              const start = recover(disk, keys);
              disk.crashAfter(operations);
              const allowed = runUntilCrash(disk, start, steps, keys, term);
              term += steps.length;
              disk.crash(random);
              expect(allowed).toContainEqual(stateOf(recover(disk, keys).view));
            }
          },
        ),
        { numRuns: 200 },
      );
    }, 60_000);
  }
});

describe('a log without its oldest segment', () => {
  it('is corrupt, also while the next segment holds no entries yet', () => {
    const disk = new SimulatedDisk();
    const identity = { directory: '', clusterId: 'c', nodeId: '1', segmentBytes: SEGMENT };
    const randomBytes = (size: number): Uint8Array => new Uint8Array(size);
    const writer = new SegmentWriter({ ...identity, files: disk, randomBytes }, undefined, undefined, {});
    disk.create('spare', new Uint8Array(SEGMENT));
    const { file } = writer.beginSegment('spare', 1);
    const hardState = { term: 1, vote: '1', commit: 0 };
    writer.writeGroup([encodeBatch({ entries: [anEntry(1), anEntry(2)], prevTerm: 0, hardState }).bytes]);
    disk.create('spare', new Uint8Array(SEGMENT));
    writer.beginSegment('spare', 3);
    expect(recover(disk, undefined).view.lastIndex).toBe(2);
    disk.damage(file, () => undefined);
    expect(() => recover(disk, undefined)).toThrow(LogCorruptError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DurableLog } from '../../src/log/durable-log.ts';
import type { LogKeys } from '../../src/log/keys.ts';
import { LogView } from '../../src/log/log-view.ts';
import type { Entry } from '../../src/types.ts';
import { aDirectory, anEntry, append, confState, hardState, openLog } from './support.ts';

type Operation =
  | {
      readonly kind: 'append';
      readonly keep: number;
      readonly count: number;
      readonly size: number;
      readonly isAwaited: boolean;
    }
  | { readonly kind: 'commit'; readonly fraction: number }
  | { readonly kind: 'truncate'; readonly keep: number }
  | { readonly kind: 'snapshot'; readonly trailing: number }
  | { readonly kind: 'receive'; readonly ahead: number }
  | { readonly kind: 'read'; readonly from: number; readonly count: number; readonly maxBytes: number }
  | { readonly kind: 'keys' }
  | { readonly kind: 'reopen'; readonly abrupt: boolean };

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const anOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      keep: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fraction),
      count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 120 })),
      size: fc.integer({ min: 0, max: 400 }),
      isAwaited: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const), fraction }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), keep: fraction }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('snapshot' as const), trailing: fc.integer({ min: 0, max: 100 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('receive' as const), ahead: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      from: fraction,
      count: fc.integer({ min: 1, max: 200 }),
      maxBytes: fc.integer({ min: 0, max: 50_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('keys' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const), abrupt: fc.boolean() }) },
);

/** A log in memory without any limit. */
interface Model {
  readonly view: LogView;
  term: number;
}

function kept(view: LogView, keep: number): number {
  return Math.max(view.hardState.commit, Math.floor(view.lastIndex * keep), view.base.index);
}

class Run {
  readonly #directory = aDirectory();
  readonly #model: Model = { view: new LogView(Infinity), term: 1 };
  readonly #keys = new Map<string, Uint8Array>();
  #log: DurableLog | undefined;

  async open(): Promise<void> {
    this.#log = await openLog(this.#directory, { keys: this.#keyring, cacheBytes: 2000, segmentBytes: 16 * 1024 });
  }

  /** Those used so far; none at first. */
  get #keyring(): LogKeys | undefined {
    const current = [...this.#keys.keys()].at(-1);
    return current === undefined ? undefined : { current, keys: new Map(this.#keys) };
  }

  get log(): DurableLog {
    return this.#log as DurableLog;
  }

  async do(operation: Operation): Promise<void> {
    const { view } = this.#model;
    const { log } = this;
    switch (operation.kind) {
      case 'append': {
        const from = kept(view, operation.keep);
        if (from < view.lastIndex) this.#model.term++;
        const { term } = this.#model;
        const entries: Entry[] = Array.from({ length: operation.count }, (_, i) =>
          anEntry(from + 1 + i, term, `${String(from + i)}-`.repeat(Math.ceil(operation.size / 4))),
        );
        view.append(view.termAt(from) ?? 0, entries);
        view.setHardState(hardState(term, view.hardState.commit));
        const { isAwaited } = operation;
        const appended = append(log, { entries, hardState: hardState(term, view.hardState.commit), isAwaited });
        if (isAwaited) log.writeNow();
        // Sometimes the next operation comes before this is durable.
        if (operation.count % 3 !== 0) await appended;
        return;
      }
      case 'commit': {
        const { commit, term } = view.hardState;
        const next = commit + Math.floor((view.lastIndex - commit) * operation.fraction);
        view.setHardState(hardState(term, next));
        await append(log, { hardState: hardState(term, next) });
        return;
      }
      case 'truncate': {
        const from = kept(view, operation.keep);
        if (from >= view.lastIndex) return;
        view.truncate({ from: from + 1, prevTerm: view.termAt(from) ?? 0 });
        await append(log, { truncateFrom: from + 1 });
        return;
      }
      case 'snapshot': {
        const { commit } = view.hardState;
        if (commit <= view.mark.index) return;
        const metadata = { index: commit, term: view.termAt(commit) ?? 0, confState: confState(String(commit)) };
        await log.createSnapshot(metadata, [Buffer.from('state')]);
        view.setMark({ ...metadata, reset: false }, false);
        log.compact(commit - operation.trailing);
        view.compact(commit - operation.trailing);
        return;
      }
      case 'receive': {
        const metadata = {
          index: view.lastIndex + operation.ahead,
          term: ++this.#model.term,
          confState: confState('9'),
        };
        const writer = await log.receiveSnapshot(metadata);
        const snapshot = await writer.publish();
        view.setMark({ ...metadata, reset: true }, false);
        view.setHardState(hardState(metadata.term, metadata.index));
        await append(log, { snapshot, hardState: hardState(metadata.term, metadata.index) });
        return;
      }
      case 'read': {
        const first = view.base.index + 1;
        if (view.lastIndex < first) return;
        const lo = first + Math.floor((view.lastIndex - first) * operation.from);
        const hi = Math.min(view.lastIndex + 1, lo + operation.count);
        const found = log.entries(lo, hi, operation.maxBytes);
        if (typeof found === 'string') throw new Error(found);
        expect(found.length).toBeGreaterThan(0);
        expect(found).toEqual(Array.from(found, (_, i) => view.cache.get(lo + i)));
        return;
      }
      case 'keys': {
        const name = `key-${String(this.#keys.size)}`;
        this.#keys.set(name, new Uint8Array(32).fill(this.#keys.size));
        log.setKeys(this.#keyring);
        return;
      }
      case 'reopen': {
        if (operation.abrupt) {
          // A batch that waits for nothing is only durable with the ones before it.
          await append(log, { sync: true });
          await log.abandon();
        } else {
          await log.close();
        }
        await this.open();
      }
    }
  }

  check(): void {
    const { view } = this.#model;
    const { log } = this;
    expect(log.lastIndex()).toBe(view.lastIndex);
    expect(log.firstIndex()).toBeLessThanOrEqual(view.base.index + 1);
    expect(log.initialState()).toEqual({
      hardState: view.hardState,
      confState: view.mark.index === 0 ? confState() : view.mark.confState,
    });
    expect(log.snapshot().metadata.index).toBe(view.mark.index);
    for (let index = view.base.index; index <= view.lastIndex; index++)
      expect(log.term(index)).toBe(view.termAt(index));
  }
}

describe('a log under random use', () => {
  it('reads like a log in memory, also after restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anOperation, { minLength: 5, maxLength: 60 }), async (operations) => {
        const run = new Run();
        await run.open();
        for (const operation of operations) {
          await run.do(operation);
          run.check();
        }
        await run.log.abandon();
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});

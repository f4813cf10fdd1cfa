/** The leader's loop that moves tasks from NEW to PENDING once ports and addresses they need are theirs. */
import type { Clock } from '../../common/clock.ts';
import { toSwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Store } from '../store/store.ts';
import { Allocation } from './allocation.ts';

export interface AllocatorOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Objects looked at before other work of the process has its turn; some tens of ms of work at most. */
const WORK_PER_PASS = 1000;

export class Allocator {
  readonly name = 'allocator';
  readonly #options: AllocatorOptions;

  constructor(options: AllocatorOptions) {
    this.#options = options;
  }

  /** Ends when the signal aborts; rejects when the store refuses a change, and may then be run again. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#options;
    const kinds = ['network', 'service', 'task', 'node'] as const;
    const [allocation, watch] = store.readAndWatch((reader) => new Allocation(reader, clock), { kinds, signal });
    const onTheirWay = new Set<Promise<void>>();
    // The next pass may be planned before the last one is committed: the store shows it what is already on its way.
    const pass = (): void => {
      const work = allocation.takeWork(store.read, WORK_PER_PASS);
      if (work.length === 0) return;
      log.trace({ items: work.length }, 'allocating');
      const done: Promise<void> = store
        .batch(work, (tx, item) => allocation.perform(tx, item), { inOneTurn: true })
        .then(
          () => undefined,
          (error: unknown) => watch.fail(toSwarmError(error)),
        )
        .finally(() => onTheirWay.delete(done));
      onTheirWay.add(done);
    };
    const passes = async (): Promise<void> => {
      while (allocation.hasWork && !signal.aborted) {
        pass();
        if (allocation.hasWork) await store.pause();
      }
    };
    try {
      await passes();
      for await (const commits of watch) {
        for (const { changes } of commits) for (const change of changes) allocation.note(change);
        await passes();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await Promise.all(onTheirWay);
    }
  }
}

/** A store whose entries commit by themselves, for tests of the loops that meet in it. */
import { FakeClock, type Clock } from '../../src/common/clock.ts';
import { Store } from '../../src/manager/store/store.ts';

export interface LocalStore {
  readonly store: Store;
  readonly clock: Clock;
  /** Entries proposed so far. */
  readonly entries: readonly Uint8Array[];
  /** While false, proposals wait; {@link commit} applies them. */
  autoCommit: boolean;
  /** Applies all waiting proposals. */
  commit(): void;
}

/** Each proposal commits in a later microtask, as if the disk took no time. Batches wait for `pause` now and then, if one is given. */
export function localStore(clock: Clock = new FakeClock(), pause?: () => Promise<void>): LocalStore {
  const entries: Uint8Array[] = [];
  let applied = 0;
  let requests = 0;
  const local = {
    clock,
    entries,
    autoCommit: true,
    commit: () => {
      while (applied < entries.length) {
        const data = entries[applied] as Uint8Array;
        store.applyEntry(++applied, data);
      }
    },
  };
  const store = new Store({
    clock,
    newRequestId: () => String(++requests),
    proposer: {
      propose: (data) => {
        entries.push(data);
        if (local.autoCommit) queueMicrotask(local.commit);
        return entries.length;
      },
    },
    ...(pause && { pause }),
  });
  return Object.assign(local, { store });
}

import { EntryType } from '../types.ts';
import type { Entry, Message } from '../types.ts';

/** One page of committed entries, and what to deliver when all of them are applied. */
interface Page {
  readonly entries: readonly Entry[];
  readonly responses: readonly Message[];
  next: number;
}

/** What an entry counts for at least: also the smallest makes some work for whoever waits for it. */
const ENTRY_BYTES = 16 * 1024;

export interface ApplyQueueHooks {
  /** Applies consecutive entries none of which is a configuration change. */
  readonly applyEntries: (entries: readonly Entry[]) => void;
  readonly applyConfChange: (entry: Entry) => void;
  /**
   * A configuration change must not take effect before a commit index that covers it is durable, or a restart could forget it and
   * act under an older configuration (etcd issue 7625). False: `resume` will be called when it is.
   */
  readonly isCommitDurable: (index: number, resume: () => void) => boolean;
  readonly applied: (responses: readonly Message[]) => void;
}

/** Applies pages of committed entries strictly in order. */
export class ApplyQueue {
  readonly #hooks: ApplyQueueHooks;
  #pages: Page[] = [];
  #isWaiting = false;
  /** Counts discards, so that a wait from before one does not resume what came after. */
  #generation = 0;

  constructor(hooks: ApplyQueueHooks) {
    this.#hooks = hooks;
  }

  add(entries: readonly Entry[], responses: readonly Message[]): void {
    this.#pages.push({ entries, responses, next: 0 });
  }

  /** There are entries that could be applied now. */
  get isReady(): boolean {
    return this.#pages.length > 0 && !this.#isWaiting;
  }

  /** Applies what can be applied now, until it is worth at least so many bytes. Returns how many it were. */
  pump(maxBytes: number): number {
    let left = maxBytes;
    for (let page = this.#pages[0]; page !== undefined && !this.#isWaiting; page = this.#pages[0]) {
      left -= this.#applySome(page, left);
      if (page.next < page.entries.length || this.#pages[0] !== page) break;
      this.#pages.shift();
      this.#hooks.applied(page.responses);
    }
    return maxBytes - left;
  }

  /**
   * A snapshot replaces the state: what is queued must not be applied any more, above all no configuration change. Returns the
   * responses that are still due once the snapshot is restored.
   */
  discard(): readonly Message[] {
    this.#isWaiting = false;
    this.#generation++;
    const pages = this.#pages;
    this.#pages = [];
    return pages.flatMap((page) => page.responses);
  }

  /** Applies entries of a page until it is done, they are worth that many bytes, or one has to wait. Returns the bytes. */
  #applySome(page: Page, maxBytes: number): number {
    let bytes = 0;
    while (page.next < page.entries.length && bytes < maxBytes) {
      const start = page.next;
      const entry = page.entries[start];
      if (entry === undefined) break;
      if (entry.type !== EntryType.Normal) {
        if (!this.#mayApply(entry.index)) break;
        page.next = start + 1;
        bytes += worth(entry);
        this.#hooks.applyConfChange(entry);
        continue;
      }
      let end = start;
      for (
        let next = page.entries[end];
        next?.type === EntryType.Normal && bytes < maxBytes;
        next = page.entries[end]
      ) {
        bytes += worth(next);
        end++;
      }
      page.next = end;
      this.#hooks.applyEntries(
        start === 0 && end === page.entries.length ? page.entries : page.entries.slice(start, end),
      );
    }
    return bytes;
  }

  #mayApply(index: number): boolean {
    const generation = this.#generation;
    const isDurable = this.#hooks.isCommitDurable(index, () => {
      if (generation !== this.#generation) return;
      this.#isWaiting = false;
    });
    this.#isWaiting = !isDurable;
    return isDurable;
  }
}

function worth({ data }: Entry): number {
  return Math.max(ENTRY_BYTES, data.length);
}

/**
 * Watches: every subscriber sees each commit after its start exactly once, in order.
 * Queues are bounded; a subscriber that falls behind is cut off and told from which version to resume.
 */
import { SwarmError } from '../../common/errors.ts';
import type { Change } from './change.ts';
import type { ObjectKind } from './objects.ts';

/** All changes of one log entry. */
export interface Commit {
  /** Raft index of the entry. */
  readonly version: number;
  readonly changes: readonly Change[];
}

export interface WatchOptions {
  /** Kinds of interest; all when left out. */
  readonly kinds?: readonly ObjectKind[];
  /** Ends the watch. */
  readonly signal?: AbortSignal;
  /** Changes that may wait to be read before the watch is cut off. @default 200000 */
  readonly queueLimit?: number;
}

const DEFAULT_QUEUE_LIMIT = 200_000;

/**
 * One subscription. Iterating yields all commits that have gathered since the last turn, oldest first;
 * the iteration ends when the signal aborts and throws resourceExhausted when the watcher fell behind.
 */
export class Watch implements AsyncIterable<readonly Commit[]> {
  readonly #kinds: ReadonlySet<ObjectKind> | undefined;
  readonly #limit: number;
  readonly #onClose: () => void;
  #queue: Commit[] = [];
  #queued = 0;
  #closed = false;
  #overflow: SwarmError | undefined;
  #wake: (() => void) | undefined;
  /** Shared by all that wait, so that a reader that gave up waiting leaves nothing behind. */
  #waiting: Promise<void> | undefined;

  constructor(options: WatchOptions, onClose: (watch: Watch) => void) {
    this.#kinds = options.kinds && new Set(options.kinds);
    this.#limit = options.queueLimit ?? DEFAULT_QUEUE_LIMIT;
    const close = (): void => this.close();
    this.#onClose = () => {
      options.signal?.removeEventListener('abort', close);
      onClose(this);
    };
    if (options.signal?.aborted) this.#closed = true;
    else options.signal?.addEventListener('abort', close, { once: true });
  }

  /** Called by the store for every commit. */
  offer(commit: Commit): void {
    if (this.#closed) return;
    const kinds = this.#kinds;
    const changes = kinds ? commit.changes.filter((change) => kinds.has(change.kind)) : commit.changes;
    if (changes.length === 0) return;
    if (this.#queued + changes.length > this.#limit) {
      this.fail(
        new SwarmError(
          'resourceExhausted',
          `the watch fell ${this.#queued} changes behind and was ended: read again and resume from version ${commit.version}`,
        ),
      );
      return;
    }
    this.#queued += changes.length;
    this.#queue.push({ version: commit.version, changes });
    this.#wake?.();
  }

  /** Takes what has gathered, without waiting. */
  take(): readonly Commit[] {
    const taken = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    return taken;
  }

  /** Waits for commits; empty when the watch was closed. */
  async next(): Promise<readonly Commit[]> {
    while (this.#queue.length === 0 && !this.#closed) {
      this.#waiting ??= new Promise<void>((resolve) => {
        this.#wake = () => {
          this.#waiting = undefined;
          resolve();
        };
      });
      await this.#waiting;
    }
    if (this.#overflow) throw this.#overflow;
    return this.#closed ? [] : this.take();
  }

  /** Ends the watch with an error for its reader. */
  fail(error: SwarmError): void {
    this.#overflow = error;
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#queued = 0;
    this.#onClose();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Commit[]> {
    try {
      for (let commits = await this.next(); commits.length > 0; commits = await this.next()) yield commits;
    } finally {
      this.close();
    }
  }
}

/** The latest commits, kept so that a watcher can resume after a short absence. */
export class CommitHistory {
  readonly #limit: number;
  #commits: Commit[] = [];
  /** Commits before this place are forgotten; their places are given back now and then, as that takes time. */
  #first = 0;
  #changes = 0;
  /** Every commit after this version is held. */
  #floor = 0;

  /** @param limit changes to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  push(commit: Commit): void {
    this.#commits.push(commit);
    this.#changes += commit.changes.length;
    while (this.#changes > this.#limit && this.#first < this.#commits.length - 1) {
      const oldest = this.#commits[this.#first] as Commit;
      this.#commits[this.#first++] = FORGOTTEN;
      this.#changes -= oldest.changes.length;
      this.#floor = oldest.version;
    }
    if (this.#first > this.#commits.length / 2) {
      this.#commits = this.#commits.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Forgets everything up to `version`. */
  reset(version: number): void {
    this.#commits = [];
    this.#first = 0;
    this.#changes = 0;
    this.#floor = version;
  }

  /** Commits after `version`; throws outOfRange when they are no longer all known. */
  since(version: number): readonly Commit[] {
    if (version < this.#floor) {
      throw new SwarmError(
        'outOfRange',
        `changes after version ${version} are no longer known (oldest kept: ${this.#floor}): list again and watch from there`,
      );
    }
    return this.#commits.slice(this.#first).filter((commit) => commit.version > version);
  }
}

const FORGOTTEN: Commit = { version: 0, changes: [] };

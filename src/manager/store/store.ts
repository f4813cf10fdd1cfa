/**
 * The replicated object store: the only meeting place of the manager's loops.
 *
 * Reads are free and see committed state. A write transaction runs at once on the newest state (committed plus what
 * is already proposed), becomes one Raft entry, and is applied to memory only when that entry commits; so many
 * transactions can be on their way together and share one disk sync. If leadership is lost, all that were on their
 * way fail together and the state they built on is dropped.
 */
import type { Clock } from '../../common/clock.ts';
import { SwarmError, toSwarmError } from '../../common/errors.ts';
import { InternalRaftRequest } from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import { decodeChange, type Change } from './change.ts';
import { KINDS, type ObjectKind, type StoreObject, type StoreObjects } from './objects.ts';
import { RequestWindow } from './request-window.ts';
import { encodeWith } from './shared-writer.ts';
import { Table, TableLayer } from './table.ts';
import {
  applyChange,
  stampVersion,
  TransactionLog,
  writerOf,
  type PendingChange,
  type Reader,
  type Writer,
} from './transaction.ts';
import { CommitHistory, Watch, type Commit, type WatchOptions } from './watch.ts';

/** Largest transaction in bytes; larger work must use {@link Store.batch}. */
const MAX_TRANSACTION_BYTES = 1.5 * 1024 * 1024;
/** Transactions of a batch that are made before other work of the process has its turn; some tens of ms of work at most. */
const TRANSACTIONS_PER_TURN = 5;
/** A batch closes its transaction at this many changes … */
const MAX_BATCH_CHANGES = 200;
/** … or at this many bytes. */
const MAX_BATCH_BYTES = (MAX_TRANSACTION_BYTES * 3) / 4;
/** Changes kept for watchers that resume; each keeps a version of its object in memory. */
const HISTORY_CHANGES = 5_000;

/** Puts entries into the replicated log. */
export interface Proposer {
  /**
   * Appends an entry to the log of the leader and returns its index at once; whether it commits is told later through
   * {@link Store.applyEntry} or {@link Store.abandonProposals}.
   * Throws unavailable when this manager is not the leader or cannot take more work now.
   */
  propose(data: Uint8Array): number;
}

export interface StoreOptions {
  readonly clock: Clock;
  /** Fresh decimal 63-bit request ids; an entry whose id was applied before is ignored. */
  readonly newRequestId: () => string;
  readonly proposer: Proposer;
  /** Resolves when other work of the process has had its turn; a large batch waits for it now and then. @default nobody waits */
  readonly pause?: () => Promise<void>;
}

interface Proposal {
  readonly requestId: string;
  readonly index: number;
  readonly changes: readonly PendingChange[];
  readonly resolve: () => void;
  readonly reject: (error: SwarmError) => void;
}

type Tables = { readonly [K in ObjectKind]: Table<K> };
type Layers = { readonly [K in ObjectKind]: TableLayer<K> };

const KIND_NAMES = Object.keys(KINDS) as readonly ObjectKind[];

/** Objects of every kind at one version; arrays are private copies, objects are immutable. */
export interface StoreCapture {
  readonly version: number;
  readonly objects: { readonly [K in ObjectKind]: readonly StoreObjects[K][] };
  readonly requestIds: readonly string[];
}

export class Store {
  readonly #clock: Clock;
  readonly #newRequestId: () => string;
  readonly #proposer: Proposer;
  readonly #pause: (() => Promise<void>) | undefined;
  readonly #tables: Tables;
  readonly #layers: Layers;
  readonly #watches = new Set<Watch>();
  readonly #history = new CommitHistory(HISTORY_CHANGES);
  readonly #requests = new RequestWindow();
  #proposals: Proposal[] = [];
  #version = 0;

  constructor(options: StoreOptions) {
    this.#clock = options.clock;
    this.#newRequestId = options.newRequestId;
    this.#proposer = options.proposer;
    this.#pause = options.pause;
    this.#tables = Object.fromEntries(KIND_NAMES.map((kind) => [kind, new Table(kind)])) as unknown as Tables;
    this.#layers = Object.fromEntries(
      KIND_NAMES.map((kind) => [kind, new TableLayer(this.#tables[kind] as Table<ObjectKind>)]),
    ) as unknown as Layers;
  }

  /** Index of the last entry applied. */
  get version(): number {
    return this.#version;
  }

  /** Proposals that are neither committed nor given up. */
  get proposalsInFlight(): number {
    return this.#proposals.length;
  }

  /** Committed state. Results of table calls are stable arrays of immutable objects and may be kept. */
  get read(): Reader {
    return this.#tables;
  }

  /**
   * Runs one transaction and waits until it is committed and applied here.
   * `body` must be synchronous and may throw to give up: then nothing happens and the error is passed on.
   * Throws resourceExhausted (transaction too large) or unavailable (no leadership; the outcome is unknown if it was lost meanwhile).
   */
  async update<T>(body: (tx: Writer) => T): Promise<T> {
    const log = this.#newLog();
    let result: T;
    try {
      result = body(writerOf(this.#layers, log));
    } catch (error) {
      log.undo();
      throw error;
    }
    if (log.count === 0) await this.#settled();
    else await this.#propose(log);
    return result;
  }

  /**
   * Runs `body` for every item, splitting the work into transactions of bounded size that commit in order. Others may read and write
   * between two of them, unless all are to be made in one turn of the event loop.
   * Not atomic: returns how many items are committed when all went well; on failure throws with earlier items committed,
   * so bodies must be safe to run again.
   */
  async batch<I>(
    items: Iterable<I>,
    body: (tx: Writer, item: I) => void,
    { inOneTurn = false }: { readonly inOneTurn?: boolean } = {},
  ): Promise<number> {
    const commits: Promise<void>[] = [];
    const failures: unknown[] = [];
    let done = 0;
    let log = this.#newLog();
    let tx = writerOf(this.#layers, log);
    const close = (): void => {
      const commit = this.#propose(log);
      // It may fail while the batch pauses.
      commit.catch((error: unknown) => failures.push(error));
      commits.push(commit);
    };
    const open = (): void => {
      log = this.#newLog();
      tx = writerOf(this.#layers, log);
    };
    try {
      for (const item of items) {
        body(tx, item);
        done++;
        if (log.count < MAX_BATCH_CHANGES && log.bytes < MAX_BATCH_BYTES) continue;
        close();
        open();
        if (inOneTurn || !this.#pause || commits.length % TRANSACTIONS_PER_TURN !== 0) continue;
        await this.#pause();
        if (failures.length > 0) break;
        open();
      }
      if (log.count > 0) close();
    } catch (error) {
      log.undo();
      await Promise.allSettled(commits);
      throw error;
    }
    await Promise.all(commits);
    return done;
  }

  /** Resolves when other work of the process has had its turn: for those who have much to do. */
  async pause(): Promise<void> {
    await this.#pause?.();
  }

  /** Subscribes to all commits from now on. */
  watch(options: WatchOptions = {}): Watch {
    const watch = new Watch(options, (closed) => this.#watches.delete(closed));
    if (!options.signal?.aborted) this.#watches.add(watch);
    return watch;
  }

  /** Subscribes to all commits after `version`; throws outOfRange when some of them are no longer known. */
  watchSince(version: number, options: WatchOptions = {}): Watch {
    const missed = this.#history.since(version);
    const watch = this.watch(options);
    for (const commit of missed) watch.offer(commit);
    return watch;
  }

  /** Reads and subscribes in one step, so that nothing is missed or seen twice. */
  readAndWatch<T>(body: (reader: Reader) => T, options: WatchOptions = {}): readonly [T, Watch] {
    return [body(this.#tables), this.watch(options)];
  }

  /** Applies a committed entry; called in log order on every manager. Deterministic: nothing but the entry decides. */
  applyEntry(index: number, data: Uint8Array): void {
    this.#version = index;
    if (data.length === 0) return;
    const own = this.#proposals[0];
    const request = own?.index === index ? undefined : InternalRaftRequest.decode(data);
    if (own && own.index === index) {
      this.#proposals.shift();
      this.#commit(index, own.requestId, own.changes);
      this.#forget(own);
      own.resolve();
    } else if (request) {
      const version = { index };
      this.#commit(
        index,
        request.id,
        request.action.map((message) => {
          const { action, kind, object } = decodeChange(message);
          if (action !== 'delete') stampVersion(object, version);
          return { action, kind, object };
        }),
      );
    }
  }

  /** Fails everything that is proposed but not committed; called when leadership is lost. The entries may still commit later. */
  abandonProposals(
    reason = 'this manager lost leadership while the change was being stored: it may or may not have been made; look before trying again',
  ): void {
    const abandoned = this.#proposals;
    this.#proposals = [];
    for (const kind of KIND_NAMES) this.#layers[kind].clear();
    for (const proposal of abandoned) proposal.reject(new SwarmError('unavailable', reason));
  }

  /** A consistent copy of everything, cheap to take (objects are shared) and safe to encode while writes go on. */
  capture(): StoreCapture {
    return {
      version: this.#version,
      objects: Object.fromEntries(
        KIND_NAMES.map((kind) => [kind, this.#tables[kind].all()]),
      ) as unknown as StoreCapture['objects'],
      requestIds: this.#requests.ids,
    };
  }

  /** Replaces everything; watchers see the difference as one ordinary commit. */
  restore(state: StoreCapture): void {
    this.abandonProposals(
      'this manager received a snapshot while the change was being stored: look before trying again',
    );
    const changes: Change[] = [];
    for (const kind of KIND_NAMES) {
      const table = this.#tables[kind] as Table<ObjectKind>;
      const wanted = new Map(state.objects[kind].map((object) => [object.id, object as StoreObject]));
      for (const { id } of table.all()) {
        if (!wanted.has(id)) push(changes, applyChange(table, 'delete', kind, { id } as StoreObject));
      }
      for (const object of wanted.values()) {
        if (table.get(object.id)?.meta?.version?.index === object.meta?.version?.index && table.get(object.id))
          continue;
        push(changes, applyChange(table, 'update', kind, object));
      }
    }
    this.#version = state.version;
    this.#requests.reset(state.requestIds);
    this.#history.reset(state.version);
    this.#publish({ version: state.version, changes });
  }

  #newLog(): TransactionLog {
    return new TransactionLog(this.#layers, this.#clock.now());
  }

  #propose(log: TransactionLog): Promise<void> {
    const changes = log.changes;
    const requestId = this.#newRequestId();
    const data = encodeRequest(requestId, changes);
    if (data.length > MAX_TRANSACTION_BYTES) {
      log.undo();
      throw new SwarmError(
        'resourceExhausted',
        `the change takes ${data.length} bytes and a transaction may hold ${MAX_TRANSACTION_BYTES}: make the object smaller or split the change`,
      );
    }
    let index: number;
    try {
      index = this.#proposer.propose(data);
    } catch (error) {
      log.undo();
      throw toSwarmError(error);
    }
    // Now the version is known: later transactions must see it on what this one wrote.
    const version = { index };
    for (const { action, object } of changes) if (action !== 'delete') stampVersion(object, version);
    return new Promise((resolve, reject) => {
      this.#proposals.push({ requestId, index, changes, resolve, reject });
    });
  }

  /** Waits until everything this transaction may have read is committed. */
  async #settled(): Promise<void> {
    const last = this.#proposals.at(-1);
    if (!last) return;
    await new Promise<void>((resolve, reject) => {
      const { resolve: done, reject: failed } = last;
      Object.assign(last, {
        resolve: () => (done(), resolve()),
        reject: (error: SwarmError) => (failed(error), reject(error)),
      });
    });
  }

  #commit(
    index: number,
    requestId: string,
    changes: readonly Pick<PendingChange, 'action' | 'kind' | 'object'>[],
  ): void {
    if (!this.#requests.admit(requestId)) return;
    const applied: Change[] = [];
    for (const { action, kind, object } of changes) {
      push(applied, applyChange(this.#tables[kind] as Table<ObjectKind>, action, kind, object));
    }
    this.#publish({ version: index, changes: applied });
  }

  #publish(commit: Commit): void {
    if (commit.changes.length === 0) return;
    this.#history.push(commit);
    for (const watch of this.#watches) watch.offer(commit);
  }

  /** Removes a committed proposal from the layers, unless a later one changed the object again. */
  #forget(proposal: Proposal): void {
    if (this.#proposals.length === 0) {
      for (const kind of KIND_NAMES) this.#layers[kind].clear();
      return;
    }
    for (const { action, kind, object } of proposal.changes) {
      const layer = this.#layers[kind];
      const seen = layer.get(object.id);
      const isNewest = action === 'delete' ? seen === undefined : seen === object;
      if (isNewest) layer.forget(object.id);
    }
  }
}

const push = (changes: Change[], change: Change | undefined): void => {
  if (change) changes.push(change);
};

/** InternalRaftRequest from changes that are already encoded: field 1 the id, field 2 each action. */
function encodeRequest(requestId: string, changes: readonly PendingChange[]): Uint8Array {
  return encodeWith((writer) => {
    writer.uint32(8).uint64(requestId);
    for (const change of changes) writer.uint32(18).bytes(change.bytes);
  });
}

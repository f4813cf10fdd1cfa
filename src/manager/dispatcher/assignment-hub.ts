/** Leads each change in the store to the agents' streams it may matter to, at a cost that does not grow with the cluster. */
import type { CancelTimer, Clock } from '../../common/clock.ts';
import type { Task, Volume } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Change } from '../store/change.ts';
import type { Reader } from '../store/transaction.ts';
import { mayConcernAgent } from './agent-view.ts';
import type { AssignmentFeed } from './assignment-feed.ts';
import { configKey, secretKey, type DependencyKey } from './dependencies.ts';
import { spansOf } from './peer-set.ts';

/** Streams that are woken in one go: writing to thousands of agents takes longer than other work should wait. */
const WOKEN_AT_ONCE = 64;

export class AssignmentHub {
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #gatherMs: number;
  readonly #feeds = new Map<string, Set<AssignmentFeed>>();
  /** Those among them that want to know of tasks on other nodes. */
  readonly #peerFeeds = new Set<AssignmentFeed>();
  readonly #marked = new Set<AssignmentFeed>();
  #timer: CancelTimer | undefined;

  constructor(reader: Reader, clock: Clock, gatherMs: number) {
    this.#reader = reader;
    this.#clock = clock;
    this.#gatherMs = gatherMs;
  }

  /** Streams open now. */
  get size(): number {
    let size = 0;
    for (const feeds of this.#feeds.values()) size += feeds.size;
    return size;
  }

  add(feed: AssignmentFeed): void {
    const feeds = this.#feeds.get(feed.nodeId);
    if (feeds) feeds.add(feed);
    else this.#feeds.set(feed.nodeId, new Set([feed]));
    if (feed.wantsPeers) this.#peerFeeds.add(feed);
  }

  remove(feed: AssignmentFeed): void {
    const feeds = this.#feeds.get(feed.nodeId);
    feeds?.delete(feed);
    if (feeds?.size === 0) this.#feeds.delete(feed.nodeId);
    this.#marked.delete(feed);
    this.#peerFeeds.delete(feed);
  }

  route(change: Change): void {
    if (this.#feeds.size === 0) return;
    if (change.kind === 'task') this.#routeTask(change.object, change.action === 'update' ? change.old : undefined);
    else if (change.kind === 'secret') this.#routeSecret(change.object.id);
    else if (change.kind === 'config') {
      this.#routeToUsers(configKey(change.object.id), this.#reader.task.by('config', change.object.id), []);
    } else if (change.kind === 'volume') this.#routeVolume(change.object, change.old);
  }

  /** Has every stream look at everything: after changes were missed. */
  resync(): void {
    for (const feeds of this.#feeds.values()) {
      for (const feed of feeds) {
        feed.markEverything();
        this.#mark(feed);
      }
    }
  }

  close(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#marked.clear();
  }

  /** The node's tasks are reached at another address now. */
  routeAddress(nodeId: string): void {
    if (this.#peerFeeds.size === 0) return;
    for (const task of this.#reader.task.by('node', nodeId)) this.#routeToPeers(task);
  }

  #routeTask(task: Task, old: Task | undefined): void {
    this.#routeToPeers(task);
    const feeds = this.#feeds.get(task.nodeId);
    if (!feeds || (old && old.nodeId === task.nodeId && !mayConcernAgent(old, task))) return;
    for (const feed of feeds) {
      feed.markTask(task.id);
      this.#mark(feed);
    }
  }

  #routeToPeers(task: Task): void {
    if (this.#peerFeeds.size === 0) return;
    const networks = spansOf(task);
    if (networks.length === 0) return;
    for (const feed of this.#peerFeeds) {
      if (feed.nodeId === task.nodeId || !sharesOne(feed.peerNetworks, networks)) continue;
      feed.markPeer(task.id);
      this.#mark(feed);
    }
  }

  #routeSecret(id: string): void {
    const volumes = this.#reader.volume
      .all()
      .filter((volume) => volume.spec?.secrets.some((secret) => secret.secret === id));
    this.#routeToUsers(secretKey(id), this.#reader.task.by('secret', id), volumes);
  }

  #routeToUsers(key: DependencyKey, tasks: readonly Task[], volumes: readonly Volume[]): void {
    const nodes = new Set(tasks.map((task) => task.nodeId));
    for (const volume of volumes) for (const status of volume.publishStatus) nodes.add(status.nodeId);
    for (const nodeId of nodes) {
      for (const feed of this.#feeds.get(nodeId) ?? []) {
        feed.markDependency(key);
        this.#mark(feed);
      }
    }
  }

  #routeVolume(volume: Volume, old: Volume | undefined): void {
    const nodes = new Set([...volume.publishStatus, ...(old?.publishStatus ?? [])].map((status) => status.nodeId));
    for (const nodeId of nodes) {
      for (const feed of this.#feeds.get(nodeId) ?? []) {
        feed.markVolume(volume.id);
        this.#mark(feed);
      }
    }
  }

  /** Wakes the stream after the gather time, or at once when a whole message is waiting. */
  #mark(feed: AssignmentFeed): void {
    if (feed.isFull) {
      feed.stream.wake();
      return;
    }
    this.#marked.add(feed);
    this.#wakeAfter(this.#gatherMs);
  }

  #wakeAfter(delayMs: number): void {
    this.#timer ??= this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      let left = WOKEN_AT_ONCE;
      for (const feed of this.#marked) {
        if (left-- === 0) return this.#wakeAfter(0);
        this.#marked.delete(feed);
        feed.stream.wake();
      }
    });
  }
}

function sharesOne(some: Iterable<string>, others: readonly string[]): boolean {
  for (const one of some) if (others.includes(one)) return true;
  return false;
}

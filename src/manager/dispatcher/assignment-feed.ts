/** What one open Assignments (or old Tasks) stream still has to look at. */
import { SwarmError } from '../../common/errors.ts';
import type { Reader } from '../store/transaction.ts';
import type { ServerStream } from '../../common/server-stream.ts';
import { AssignmentSet } from './assignment-set.ts';
import type { DependencyKey } from './dependencies.ts';
import type { AssignmentChange } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

export interface FeedLimits {
  /** Objects looked at for one message. */
  readonly batch: number;
  /** Objects that may wait; beyond this the stream is ended. */
  readonly backlog: number;
}

/** Whose stream it is. */
interface FeedOwner {
  readonly nodeId: string;
  /** Whether it asked for the tasks that share networks with its own. */
  readonly wantsPeers: boolean;
}

export class AssignmentFeed {
  readonly nodeId: string;
  readonly wantsPeers: boolean;
  readonly stream: ServerStream;
  readonly #reader: Reader;
  readonly #limits: FeedLimits;
  readonly #set: AssignmentSet;
  readonly #tasks = new Set<string>();
  readonly #volumes = new Set<string>();
  readonly #dependencies = new Set<DependencyKey>();
  readonly #peers = new Set<string>();

  constructor({ nodeId, wantsPeers }: FeedOwner, stream: ServerStream, reader: Reader, limits: FeedLimits) {
    this.nodeId = nodeId;
    this.wantsPeers = wantsPeers;
    this.stream = stream;
    this.#reader = reader;
    this.#limits = limits;
    this.#set = new AssignmentSet(nodeId, wantsPeers);
  }

  /** Objects waiting to be looked at. */
  get size(): number {
    return this.#tasks.size + this.#volumes.size + this.#dependencies.size + this.#peers.size;
  }

  get isFull(): boolean {
    return this.size >= this.#limits.batch;
  }

  /** All tasks the agent has been sent. */
  get tasks(): readonly Task[] {
    return this.#set.tasks;
  }

  markTask(id: string): void {
    this.#tasks.add(id);
    this.#checkBacklog();
  }

  markVolume(id: string): void {
    this.#volumes.add(id);
    this.#checkBacklog();
  }

  markDependency(key: DependencyKey): void {
    this.#dependencies.add(key);
    this.#checkBacklog();
  }

  markPeer(id: string): void {
    this.#peers.add(id);
    this.#checkBacklog();
  }

  /** Networks of the node's tasks, where the agent asked for their other tasks. */
  get peerNetworks(): Iterable<string> {
    return this.#set.peerNetworks;
  }

  /** Looks at everything again. */
  markEverything(): void {
    const { tasks, volumes, dependencies, peers } = this.#set.everything(this.#reader);
    for (const id of tasks) this.#tasks.add(id);
    for (const id of volumes) this.#volumes.add(id);
    for (const key of dependencies) this.#dependencies.add(key);
    for (const id of peers) this.#peers.add(id);
  }

  /** Everything the node has now, as the changes of a first message. */
  complete(): readonly AssignmentChange[] {
    this.#clear();
    return this.#set.update(this.#reader, this.#set.everything(this.#reader));
  }

  /** Changes of the next message; empty when what waited makes no difference to the agent. */
  take(): readonly AssignmentChange[] {
    const limit = this.#limits.batch;
    return this.#set.update(this.#reader, {
      dependencies: takeFrom(this.#dependencies, limit),
      volumes: takeFrom(this.#volumes, limit),
      tasks: takeFrom(this.#tasks, limit),
      peers: takeFrom(this.#peers, limit),
    });
  }

  #clear(): void {
    this.#tasks.clear();
    this.#volumes.clear();
    this.#dependencies.clear();
    this.#peers.clear();
  }

  #checkBacklog(): void {
    if (this.size <= this.#limits.backlog) return;
    this.#clear();
    this.stream.end(
      new SwarmError(
        'resourceExhausted',
        `node ${this.nodeId} fell more than ${this.#limits.backlog} assignment changes behind: register again to get everything anew`,
      ),
    );
  }
}

/** Takes up to `count` members out of a set. */
function takeFrom<T>(set: Set<T>, count: number): readonly T[] {
  const taken: T[] = [];
  for (const member of set) {
    if (taken.length >= count) break;
    taken.push(member);
    set.delete(member);
  }
  return taken;
}

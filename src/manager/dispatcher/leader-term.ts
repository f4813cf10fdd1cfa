/**
 * The dispatcher of one term of leadership: who is registered, which streams are open, what waits to be stored.
 * It begins with nothing but the store and is thrown away when the term ends.
 */
import { WILL_RETURN } from '../../common/farewell.ts';
import { isDeepStrictEqual } from 'node:util';
import { isSwarmError } from '../../common/errors.ts';
import type { Caller, CallContext } from '../../common/rpc.ts';
import type {
  AssignmentsMessage,
  AssignmentsRequest,
  HeartbeatRequest,
  SessionMessage,
  SessionRequest,
  TasksMessage,
  TasksRequest,
  UpdateTaskStatusRequest,
  UpdateVolumeStatusRequest,
} from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { WeightedPeer } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Change } from '../store/change.ts';
import type { ObjectKind } from '../store/objects.ts';
import type { Reader } from '../store/transaction.ts';
import type { Watch } from '../store/watch.ts';
import { sameNodeForAgent } from './agent-view.ts';
import { AssignmentFeed } from './assignment-feed.ts';
import { AssignmentHub } from './assignment-hub.ts';
import { assignmentMessages, taskMessages } from './assignment-messages.ts';
import type { DispatcherOptions } from './options.ts';
import { Presence } from './presence.ts';
import { clusterConcernsAgents, sessionMessages } from './session-messages.ts';
import type { DispatcherSettings } from './settings.ts';
import { SharedBarrier } from './shared-barrier.ts';
import { StatusReports } from './status-reports.ts';
import { withNodeUnpublished } from './volume-assignment.ts';

const WATCHED: readonly ObjectKind[] = ['node', 'cluster', 'task', 'secret', 'config', 'volume'];

export class LeaderTerm {
  readonly #options: DispatcherOptions;
  readonly #settings: DispatcherSettings;
  readonly #reader: Reader;
  readonly #presence: Presence;
  readonly #hub: AssignmentHub;
  readonly #reports: StatusReports;
  readonly #barrier: SharedBarrier;
  #cluster: Cluster | undefined;
  #managers: readonly WeightedPeer[] = [];

  constructor(options: DispatcherOptions, settings: DispatcherSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#reader = options.store.read;
    this.#reports = new StatusReports(options, settings);
    this.#presence = new Presence(options, settings, (nodeId) => this.#reports.orphanTasksOf(nodeId));
    this.#barrier = new SharedBarrier(() => options.confirmLeadership());
    this.#hub = new AssignmentHub(this.#reader, options.clock, settings.assignmentGatherMs);
  }

  /** Nodes registered, assignment streams open and task states waiting to be stored. */
  get load(): { readonly sessions: number; readonly streams: number; readonly statusesWaiting: number } {
    return { sessions: this.#presence.size, streams: this.#hub.size, statusesWaiting: this.#reports.size };
  }

  /** Works until the signal aborts, then ends every session. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) stop.abort();
    const [, watch] = this.#options.store.readAndWatch((reader) => this.#begin(reader), {
      kinds: WATCHED,
      signal: stop.signal,
    });
    const stopListening = [
      this.#options.managers.onChange(() => this.#managersChanged()),
      this.#options.usage.onChange(() => this.#presence.refresh()),
    ];
    const loops = [this.#presence.run(stop.signal), this.#reports.run(stop.signal), this.#follow(watch, stop.signal)];
    try {
      await Promise.all(loops);
    } finally {
      stop.abort();
      signal.removeEventListener('abort', onAbort);
      for (const stopListener of stopListening) stopListener();
      this.#hub.close();
      this.#presence.close();
      await Promise.allSettled(loops);
    }
  }

  async *session(request: SessionRequest, { caller, signal, metadata }: CallContext): AsyncGenerator<SessionMessage> {
    const registration = this.#presence.register(caller.nodeId, request.sessionId, metadata);
    await this.#presence.ready(caller, request.description);
    const stream = registration.open('session', signal);
    try {
      yield* sessionMessages(registration.sessionId, stream, {
        node: () => this.#reader.node.get(caller.nodeId),
        managers: () => this.#managers,
        cluster: () => this.#cluster,
        usageIntervalMs: () => this.#options.usage.intervalMs,
      });
    } finally {
      if (registration.close('session', stream) && !stream.isEnded) this.#presence.sessionBroke(registration);
    }
  }

  /** Returns the period in ms after which the next heartbeat is wanted. */
  heartbeat(request: HeartbeatRequest, { caller, metadata }: CallContext): number {
    const registration = this.#presence.registered(caller, request.sessionId);
    if (metadata.get(WILL_RETURN).length > 0) registration.expectReturn();
    return this.#presence.beat(registration);
  }

  async updateTaskStatus(request: UpdateTaskStatusRequest, context: CallContext): Promise<void> {
    const registration = this.#presence.registered(context.caller, request.sessionId);
    this.#presence.heard(registration);
    await this.#reports.take(registration.nodeId, request.updates, context);
  }

  /** Resolves when stored. */
  async updateVolumeStatus(request: UpdateVolumeStatusRequest, caller: Caller): Promise<void> {
    const { nodeId } = this.#presence.registered(caller, request.sessionId);
    const unpublished = request.updates.filter((update) => update.unpublished);
    await this.#options.store.batch(unpublished, (tx, { id }) => {
      const volume = tx.volume.get(id);
      const changed = volume && withNodeUnpublished(volume, nodeId);
      if (changed) tx.volume.update(changed);
    });
  }

  assignments(request: AssignmentsRequest, context: CallContext): AsyncGenerator<AssignmentsMessage> {
    return this.#feed(request, context, assignmentMessages);
  }

  tasks(request: TasksRequest, context: CallContext): AsyncGenerator<TasksMessage> {
    return this.#feed({ ...request, wantsPeers: false }, context, taskMessages);
  }

  async *#feed<M>(
    { sessionId, wantsPeers }: AssignmentsRequest,
    { caller, signal }: CallContext,
    messages: (feed: AssignmentFeed) => AsyncGenerator<M>,
  ): AsyncGenerator<M> {
    const registration = this.#presence.registered(caller, sessionId);
    await this.#barrier.pass();
    const stream = registration.open('assignments', signal);
    const feed = new AssignmentFeed({ nodeId: caller.nodeId, wantsPeers }, stream, this.#reader, {
      batch: this.#settings.assignmentBatch,
      backlog: this.#settings.assignmentBacklog,
    });
    this.#hub.add(feed);
    stream.onEnd = () => this.#hub.remove(feed);
    try {
      yield* messages(feed);
    } finally {
      this.#hub.remove(feed);
      registration.close('assignments', stream);
    }
  }

  #begin(reader: Reader): void {
    this.#managers = this.#options.managers.current();
    this.#configure(reader.cluster.all()[0]);
    this.#presence.begin(reader.node.all());
  }

  #managersChanged(): void {
    const managers = this.#options.managers.current();
    if (isDeepStrictEqual(managers, this.#managers)) return;
    this.#managers = managers;
    this.#presence.refresh();
  }

  #configure(cluster: Cluster | undefined): void {
    this.#cluster = cluster;
    this.#presence.configure(cluster);
  }

  async #follow(first: Watch, signal: AbortSignal): Promise<void> {
    for (let watch = first; !signal.aborted;) {
      try {
        for await (const commits of watch) {
          for (const { changes } of commits) for (const change of changes) this.#see(change);
        }
      } catch (error) {
        if (!isSwarmError(error, 'resourceExhausted')) throw error;
        this.#options.log.warn({ err: error }, 'dispatcher fell behind the store and looks at everything again');
        watch = this.#options.store.watch({ kinds: WATCHED, signal });
        this.#resync();
      }
    }
  }

  #see(change: Change): void {
    if (change.kind === 'node') {
      if (change.action === 'delete') {
        this.#presence.removed(change.object.id);
        return;
      }
      this.#presence.changed(change.object);
      if (change.old?.status?.addr !== change.object.status?.addr) this.#hub.routeAddress(change.object.id);
      if (change.old && !sameNodeForAgent(change.old, change.object)) this.#presence.refresh(change.object.id);
    } else if (change.kind === 'cluster') {
      if (change.action === 'delete') return;
      this.#configure(change.object);
      if (clusterConcernsAgents(change.old, change.object)) this.#presence.refresh();
    } else {
      this.#hub.route(change);
    }
  }

  /** Looks at everything, as after missed changes. */
  #resync(): void {
    this.#configure(this.#reader.cluster.all()[0]);
    for (const { nodeId } of this.#presence.registrations) {
      if (!this.#reader.node.get(nodeId)) this.#presence.removed(nodeId);
    }
    this.#presence.refresh();
    this.#hub.resync();
  }
}

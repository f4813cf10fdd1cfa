/**
 * What one agent has been sent, and the changes that bring it to what the store holds now. It looks at the state, not at
 * events: names of objects that may have changed go in, so nothing is sent twice or in the wrong order, and an agent that
 * reads slowly costs one name per object.
 */
import {
  AssignmentChange_AssignmentAction as Action,
  type AssignmentChange,
  type Assignment,
} from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import {
  Config,
  Secret,
  Task,
  type Config as ConfigObject,
  type Secret as SecretObject,
  type Task as TaskObject,
} from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { VolumeAssignment } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';
import { isForAgent, mustResend, needsDependencies } from './agent-view.ts';
import { splitKey, taskDependencies, volumeDependencies, type DependencyKey } from './dependencies.ts';
import { PeerSet } from './peer-set.ts';
import { volumeAssignment } from './volume-assignment.ts';

/** Names of objects that may have changed. */
export interface Changed {
  readonly tasks: Iterable<string>;
  readonly volumes: Iterable<string>;
  readonly dependencies: Iterable<DependencyKey>;
  /** Tasks on other nodes. */
  readonly peers: Iterable<string>;
}

type AssignmentReader = Pick<Reader, 'task' | 'secret' | 'config' | 'volume' | 'node' | 'cluster' | 'network'>;
type Item = NonNullable<Assignment['item']>;

export class AssignmentSet {
  readonly #nodeId: string;
  readonly #tasks = new Map<string, TaskObject>();
  readonly #volumes = new Map<string, VolumeAssignment>();
  readonly #dependencies = new Map<DependencyKey, SecretObject | ConfigObject>();
  /** What each task or volume on the node holds on to. */
  readonly #uses = new Map<string, readonly DependencyKey[]>();
  readonly #users = new Map<DependencyKey, number>();
  readonly #peers: PeerSet | undefined;

  /** @param wantsPeers the agent asked to be told of tasks that share networks with its own */
  constructor(nodeId: string, wantsPeers: boolean) {
    this.#nodeId = nodeId;
    this.#peers = wantsPeers ? new PeerSet(nodeId) : undefined;
  }

  /** Networks of the node's tasks whose other tasks the agent wants to know of. */
  get peerNetworks(): Iterable<string> {
    return this.#peers?.networks ?? [];
  }

  /** Everything that may differ from what was sent: what the node has in the store and what it was sent. */
  everything(reader: AssignmentReader): Changed {
    const tasks = new Set(this.#tasks.keys());
    for (const task of reader.task.by('node', this.#nodeId)) tasks.add(task.id);
    const volumes = new Set(this.#volumes.keys());
    for (const volume of reader.volume.all()) {
      if (volume.publishStatus.some((status) => status.nodeId === this.#nodeId)) volumes.add(volume.id);
    }
    return { tasks, volumes, dependencies: [...this.#users.keys()], peers: this.#peers?.everything(reader) ?? [] };
  }

  /** Changes to send, secrets and configs before what needs them; afterwards they count as sent. */
  update(reader: AssignmentReader, changed: Changed): readonly AssignmentChange[] {
    const changes: AssignmentChange[] = [];
    const touched = new Set<DependencyKey>(changed.dependencies);
    const peers = new Set(changed.peers);
    for (const id of changed.tasks) {
      this.#updateTask(reader.task.get(id), id, changes, touched);
      // On a network that came into use everybody is new, and on one that is left nobody counts any more.
      const turned = this.#peers?.own(id, this.#tasks.get(id)) ?? [];
      if (turned.length > 0) for (const peer of this.#peers?.everything(reader) ?? []) peers.add(peer);
    }
    for (const id of changed.volumes) this.#updateVolume(reader, id, changes, touched);
    const added: AssignmentChange[] = [];
    const dropped: AssignmentChange[] = [];
    for (const key of touched) this.#updateDependency(reader, key, added, dropped);
    return [...added, ...(this.#peers?.update(reader, peers) ?? []), ...changes, ...dropped];
  }

  /** All tasks sent and not withdrawn. */
  get tasks(): readonly TaskObject[] {
    return [...this.#tasks.values()];
  }

  #updateTask(
    task: TaskObject | undefined,
    id: string,
    changes: AssignmentChange[],
    touched: Set<DependencyKey>,
  ): void {
    const sent = this.#tasks.get(id);
    if (!task || task.nodeId !== this.#nodeId || !isForAgent(task)) {
      if (!sent) return;
      changes.push(removal({ $case: 'task', value: Task.fromPartial({ id }) }));
      this.#tasks.delete(id);
      this.#hold(`task:${id}`, [], touched);
      return;
    }
    if (!sent || mustResend(sent, task)) changes.push(update({ $case: 'task', value: task }));
    this.#tasks.set(id, task);
    this.#hold(`task:${id}`, needsDependencies(task) ? taskDependencies(task) : [], touched);
  }

  #updateVolume(reader: AssignmentReader, id: string, changes: AssignmentChange[], touched: Set<DependencyKey>): void {
    const volume = reader.volume.get(id);
    const assignment = volume && volumeAssignment(volume, this.#nodeId);
    const sent = this.#volumes.get(id);
    if (!assignment) {
      if (!sent) return;
      changes.push(removal({ $case: 'volume', value: VolumeAssignment.fromPartial({ id }) }));
      this.#volumes.delete(id);
      this.#hold(`volume:${id}`, [], touched);
      return;
    }
    if (!sent || !sameVolume(sent, assignment)) changes.push(update({ $case: 'volume', value: assignment }));
    this.#volumes.set(id, assignment);
    this.#hold(`volume:${id}`, volumeDependencies(volume), touched);
  }

  #hold(user: string, needs: readonly DependencyKey[], touched: Set<DependencyKey>): void {
    const before = this.#uses.get(user) ?? [];
    for (const key of needs) {
      if (before.includes(key)) continue;
      this.#users.set(key, (this.#users.get(key) ?? 0) + 1);
      touched.add(key);
    }
    for (const key of before) {
      if (needs.includes(key)) continue;
      const users = (this.#users.get(key) ?? 0) - 1;
      if (users > 0) this.#users.set(key, users);
      else this.#users.delete(key);
      touched.add(key);
    }
    if (needs.length > 0) this.#uses.set(user, needs);
    else this.#uses.delete(user);
  }

  /** A dependency that is deleted while in use stays with the agent: its users still run with it. */
  #updateDependency(
    reader: AssignmentReader,
    key: DependencyKey,
    added: AssignmentChange[],
    dropped: AssignmentChange[],
  ): void {
    const { kind, id } = splitKey(key);
    if (!this.#users.has(key)) {
      if (this.#dependencies.delete(key)) dropped.push(removal(emptyDependency(kind, id)));
      return;
    }
    const object = reader[kind].get(id);
    if (!object || this.#dependencies.get(key) === object) return;
    this.#dependencies.set(key, object);
    added.push(update({ $case: kind, value: object } as Item));
  }
}

const update = (item: Item): AssignmentChange => ({ action: Action.UPDATE, assignment: { item } });

/** Removals carry the id only. */
const removal = (item: Item): AssignmentChange => ({ action: Action.REMOVE, assignment: { item } });

const emptyDependency = (kind: 'secret' | 'config', id: string): Item =>
  kind === 'secret'
    ? { $case: kind, value: Secret.fromPartial({ id }) }
    : { $case: kind, value: Config.fromPartial({ id }) };

const sameVolume = (a: VolumeAssignment, b: VolumeAssignment): boolean =>
  Buffer.compare(VolumeAssignment.encode(a).finish(), VolumeAssignment.encode(b).finish()) === 0;

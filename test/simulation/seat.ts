/**
 * A manager's seat in the consensus group: who its members are, whom it hears, and how others come and go. It does over the
 * simulated network what `consensus.ts` does over the real one.
 */
import type { ConfigurationChanged, RaftNode } from 'raft-ts';
import type { Clock } from '../../src/common/clock.ts';
import { SwarmError } from '../../src/common/errors.ts';
import { MemberList, memberFromWire, type Member } from '../../src/manager/consensus/member-list.ts';
import { addMember, promoteLearner, removeMember } from '../../src/manager/consensus/membership-changes.ts';
import { refusalError } from '../../src/manager/consensus/refusals.ts';
import { canRemove, groupOf, type Group } from '../../src/manager/members/group.ts';
import { RaftMember } from '../../src/proto/generated/docker/swarmkit/v1/raft.ts';

/** Somebody not heard for so long is not reachable. */
const SILENCE_MS = 1_500;
const PROMOTE_WITHIN_ENTRIES = 100;
const REMOVE_NODE = 1;

export class Seat {
  readonly localId: string;
  readonly members = new MemberList();
  readonly #clock: Clock;
  readonly #node: () => RaftNode;
  readonly #heardMs = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #reachability = '';

  constructor(localId: string, clock: Clock, node: () => RaftNode) {
    this.localId = localId;
    this.#clock = clock;
    this.#node = node;
  }

  get group(): Group {
    return groupOf(this);
  }

  get voters(): readonly string[] {
    return this.#node().confState?.voters ?? [];
  }

  /** A message of a member came. */
  heard(raftId: string): void {
    this.#heardMs.set(raftId, this.#clock.monotonic());
  }

  isReachable(raftId: string): boolean {
    return raftId === this.localId || this.#clock.monotonic() - (this.#heardMs.get(raftId) ?? -Infinity) < SILENCE_MS;
  }

  /** Whether the manager of a node may be taken out. */
  canRemoveNode(nodeId: string): boolean {
    const member = this.members.byNode(nodeId);
    return !member || canRemove(this.voters, member.raftId, (id) => this.isReachable(id));
  }

  async admit(member: Member): Promise<void> {
    const { confState } = this.#node();
    if (confState) await this.#change(addMember(member, confState, contextOf(member)));
  }

  async remove(raftId: string): Promise<void> {
    await this.#change(removeMember(raftId));
  }

  async transferLeadership(): Promise<void> {
    const target = this.voters.find((raftId) => raftId !== this.localId && this.isReachable(raftId));
    if (target === undefined) throw new SwarmError('failedPrecondition', 'no other manager can take over now');
    await this.#node().transferLeadership(target).catch(refuse);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Looks after the others now and then. */
  tick(): void {
    const now = this.members
      .all()
      .map(({ raftId }) => `${raftId} ${this.isReachable(raftId)}`)
      .join();
    if (now !== this.#reachability) this.changed();
    this.#reachability = now;
    if (this.#node().isLeader) this.#promoteLearners();
  }

  onConfiguration({ change }: ConfigurationChanged): void {
    if (change.context.length > 0) this.members.put(memberFromWire(RaftMember.decode(change.context)));
    for (const { type, nodeId } of change.changes) if (type === REMOVE_NODE) this.members.remove(nodeId);
    this.changed();
  }

  #promoteLearners(): void {
    if ((this.#node().confState?.learners.length ?? 0) === 0) return;
    const status = this.#node().status();
    const ready = status?.peers.find(
      (peer) => peer.isLearner && peer.recentActive && peer.match + PROMOTE_WITHIN_ENTRIES >= status.lastIndex,
    );
    const member = ready && this.members.get(ready.id);
    if (member) this.#change(promoteLearner(member.raftId, contextOf(member))).catch(() => undefined);
  }

  async #change(change: Parameters<RaftNode['proposeConfChange']>[0]): Promise<void> {
    await this.#node().proposeConfChange(change).catch(refuse);
  }
}

const refuse = (error: unknown): never => {
  throw refusalError(error);
};

/** What everybody is told of a member with the change that admits it. */
export const contextOf = ({ raftId, nodeId, address }: Member): Uint8Array =>
  RaftMember.encode({ raftId, nodeId, addr: address, status: undefined }).finish();

/**
 * Who is in the consensus group: raft id → node and address. It changes only by configuration entries and snapshots, so it
 * is the same on every manager at the same index. Ids that were removed are remembered for ever and never admitted again.
 */
import type { RaftMember } from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import type { ClusterSnapshot } from '../../proto/generated/docker/swarmkit/v1/snapshot.ts';

export interface Member {
  readonly raftId: string;
  readonly nodeId: string;
  /** "host:port" at which its managers' RPC listens. */
  readonly address: string;
}

export class MemberList {
  readonly #members = new Map<string, Member>();
  readonly #removed = new Set<string>();

  all(): readonly Member[] {
    return [...this.#members.values()];
  }

  get(raftId: string): Member | undefined {
    return this.#members.get(raftId);
  }

  byNode(nodeId: string): Member | undefined {
    return this.all().find((member) => member.nodeId === nodeId);
  }

  isRemoved(raftId: string): boolean {
    return this.#removed.has(raftId);
  }

  get removedIds(): readonly string[] {
    return [...this.#removed];
  }

  put(member: Member): void {
    this.#members.set(member.raftId, member);
  }

  remove(raftId: string): void {
    this.#members.delete(raftId);
    this.#removed.add(raftId);
  }

  toSnapshot(): ClusterSnapshot {
    return {
      members: this.all().map(({ raftId, nodeId, address }) => ({ raftId, nodeId, addr: address, status: undefined })),
      removed: this.removedIds,
    };
  }

  restore(snapshot: ClusterSnapshot): void {
    this.#members.clear();
    this.#removed.clear();
    for (const member of snapshot.members) this.put(memberFromWire(member));
    for (const raftId of snapshot.removed) this.#removed.add(raftId);
  }
}

export const memberFromWire = ({ raftId, nodeId, addr }: RaftMember): Member => ({ raftId, nodeId, address: addr });

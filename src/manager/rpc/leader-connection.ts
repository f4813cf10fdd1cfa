/** How a manager reaches the leader, whoever that is at the moment. */
import { SwarmError } from '../../common/errors.ts';
import { NO_LEADER_TEXT } from '../../common/no-leader.ts';
import type { Consensus } from '../consensus/consensus.ts';
import type { Member } from '../consensus/member-list.ts';
import type { ClientConstructor, ManagerChannels } from './manager-channels.ts';

export class LeaderConnection {
  readonly #channels: ManagerChannels;
  readonly #consensus: () => Consensus | undefined;

  constructor(channels: ManagerChannels, consensus: () => Consensus | undefined) {
    this.#channels = channels;
    this.#consensus = consensus;
  }

  get isSelf(): boolean {
    return this.#consensus()?.isLeader ?? false;
  }

  get member(): Member | undefined {
    return this.#consensus()?.leader;
  }

  /** undefined while nobody leads, or this manager does. */
  clientIfAny<C>(type: ClientConstructor<C>): C | undefined {
    const leader = this.member;
    if (!leader || leader.raftId === this.#consensus()?.localId) return undefined;
    return this.#channels.client(leader.address, type);
  }

  /** Throws unavailable while nobody else leads. */
  client<C>(type: ClientConstructor<C>): C {
    const client = this.clientIfAny(type);
    if (!client) throw new SwarmError('unavailable', NO_LEADER_TEXT);
    return client;
  }
}

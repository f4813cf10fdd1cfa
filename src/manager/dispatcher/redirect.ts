/**
 * What a manager that does not lead does for an agent that came to it: it names all managers, the leader with more weight,
 * and ends the session, so that the agent looks elsewhere. Without this an agent that joined through a follower, and so
 * knows only that one address, would never find the leader.
 */
import type { Clock } from '../../common/clock.ts';
import type { SessionMessage } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { WeightedPeer } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';
import type { LeaderAddress } from './options.ts';
import { notLeading } from './refusals.ts';
import { RegistrationLimit } from './registration-limit.ts';
import { sessionMessage } from './session-messages.ts';

/** How much likelier than a follower the leader is to be tried next. (Agents of ours try it in any case, once.) */
const LEADER_WEIGHT_FACTOR = 4;
/**
 * A Docker Engine that got a session message tries again at once. When the leader named is dead that would be a storm, so
 * beyond this many the plain refusal makes it wait longer each time.
 */
const REDIRECTS = 2;
const WINDOW_MS = 8_000;

export interface RedirectOptions {
  readonly reader: Reader;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly localNodeId: string;
  readonly managers: () => readonly WeightedPeer[];
  readonly leader: () => LeaderAddress | undefined;
}

export class Redirect {
  readonly #options: RedirectOptions;
  #limit: RegistrationLimit;
  /** Whom the limit counts redirections to: a new leader is worth telling everybody again. */
  #countedFor: string | undefined;

  constructor(options: RedirectOptions) {
    this.#options = options;
    this.#limit = new RegistrationLimit(options.clock, REDIRECTS, WINDOW_MS);
  }

  /** One message where it can help, then always the refusal. */
  async *session(nodeId: string): AsyncGenerator<SessionMessage> {
    const { reader, localNodeId, managers, newId } = this.#options;
    const leader = this.#options.leader();
    const node = reader.node.get(nodeId);
    if (leader && leader.nodeId !== localNodeId && node && this.#admit(nodeId, leader)) {
      const message = sessionMessage({
        sessionId: newId(),
        node,
        managers: preferring(leader, managers()),
        cluster: reader.cluster.all()[0],
      });
      // This manager may be behind: the node would trust a root again that has been replaced.
      yield { ...message, RootCA: Buffer.alloc(0) };
    }
    throw notLeading(leader);
  }

  #admit(nodeId: string, leader: LeaderAddress): boolean {
    if (leader.nodeId !== this.#countedFor) {
      this.#countedFor = leader.nodeId;
      this.#limit = new RegistrationLimit(this.#options.clock, REDIRECTS, WINDOW_MS);
    }
    return this.#limit.admit(nodeId);
  }
}

const preferring = (leader: LeaderAddress, managers: readonly WeightedPeer[]): readonly WeightedPeer[] =>
  managers.map((manager) =>
    manager.peer?.nodeId === leader.nodeId ? { ...manager, weight: manager.weight * LEADER_WEIGHT_FACTOR } : manager,
  );

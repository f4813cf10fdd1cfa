/** What a node is told when it starts. */
import { silentLogger } from './logger.ts';
import type { Logger } from './logger.ts';
import { isPeerId } from './peer-id.ts';
import type { ReadOnlyOption } from './read-only.ts';
import type { Storage } from './storage.ts';
import type { PeerId } from './types.ts';

export interface RaftConfig {
  /** Own id, 1 to 2^64 − 3. Never reuse the id of a member that was removed. */
  readonly id: PeerId;
  readonly storage: Storage;
  /** Uniform in [0, 1); spreads election timeouts. */
  readonly random: () => number;
  /** Ticks without a leader before an election; the real timeout is drawn from [electionTicks, 2·electionTicks − 1]. At least 10·heartbeatTicks is advised. */
  readonly electionTicks: number;
  /** Ticks between the leader's heartbeats. */
  readonly heartbeatTicks: number;
  /** Index applied before a restart; entries after it are handed out again. Default: whatever the snapshot covers. */
  readonly applied?: number;
  /** Storage is written and entries are applied by messages to APPEND_THREAD and APPLY_THREAD (the production mode); no `advance()`. Default false. */
  readonly asyncStorageWrites?: boolean;
  /** Bytes of entries per append; one entry always fits. Default: no limit. */
  readonly maxMessageBytes?: number;
  /** Bytes of entries handed out and not yet applied. Default: maxMessageBytes. */
  readonly maxCommittedBytesPerReady?: number;
  /** Bytes of payload that may wait to be committed before proposals are refused. Default 0: no limit. */
  readonly maxUncommittedBytes?: number;
  /** Appends in flight per follower. Default 256. */
  readonly maxInflightMessages?: number;
  /** Payload bytes in flight per follower (soft: one message may overshoot). Default 0: no limit. */
  readonly maxInflightBytes?: number;
  /** The leader steps down unless it hears from a quorum within an election timeout, and followers it reaches ignore vote requests. Default false. */
  readonly checkQuorum?: boolean;
  /** Ask whether an election could be won before raising the term. Default false. */
  readonly preVote?: boolean;
  /** Default safe. `lease-based` needs checkQuorum. */
  readonly readOnly?: ReadOnlyOption;
  /** Followers refuse proposals instead of passing them to the leader. Default false. */
  readonly disableProposalForwarding?: boolean;
  /** Appends configuration changes unchecked; only for tests and for callers that check themselves. Default false. */
  readonly disableConfChangeValidation?: boolean;
  /** A leader that is removed or made a learner steps down at once. Default false. */
  readonly stepDownOnRemoval?: boolean;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** A configuration with everything filled in; 0 has become Infinity where it means no limit. */
export type ResolvedConfig = Required<RaftConfig>;

/** Fills in the defaults; throws a RangeError that names the field if a value makes no sense. */
export function resolveConfig(config: RaftConfig): ResolvedConfig {
  const require = (isFine: boolean, text: string): void => {
    if (!isFine) throw new RangeError(`raft configuration: ${text}`);
  };
  const maxMessageBytes = config.maxMessageBytes ?? Infinity;
  const resolved: ResolvedConfig = {
    id: config.id,
    storage: config.storage,
    random: config.random,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    applied: config.applied ?? 0,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    maxMessageBytes,
    maxCommittedBytesPerReady: config.maxCommittedBytesPerReady ?? (maxMessageBytes || 1),
    maxUncommittedBytes: config.maxUncommittedBytes || Infinity,
    maxInflightMessages: config.maxInflightMessages ?? 256,
    maxInflightBytes: config.maxInflightBytes ?? 0,
    checkQuorum: config.checkQuorum ?? false,
    preVote: config.preVote ?? false,
    readOnly: config.readOnly ?? 'safe',
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
    logger: config.logger ?? silentLogger,
  };
  require(isPeerId(resolved.id), `id must be a decimal from 1 to 2^64 - 3, got "${resolved.id}"`);
  require(isCount(resolved.heartbeatTicks, 1), 'heartbeatTicks must be a whole number above 0');
  require(isCount(resolved.electionTicks, resolved.heartbeatTicks + 1), 'electionTicks must be above heartbeatTicks');
  require(isCount(resolved.applied, 0), 'applied must be a whole number');
  require(resolved.maxMessageBytes >= 0, 'maxMessageBytes must not be negative');
  require(resolved.maxCommittedBytesPerReady > 0, 'maxCommittedBytesPerReady must be above 0');
  require(resolved.maxUncommittedBytes > 0, 'maxUncommittedBytes must not be negative');
  require(isCount(resolved.maxInflightMessages, 1), 'maxInflightMessages must be a whole number above 0');
  require(resolved.maxInflightBytes === 0 ||
    resolved.maxInflightBytes >= resolved.maxMessageBytes ||
    maxMessageBytes === Infinity, 'maxInflightBytes must be 0 or at least maxMessageBytes');
  require(resolved.readOnly === 'safe' ||
    resolved.checkQuorum, 'readOnly "lease-based" needs checkQuorum: without it a leader that was cut off would keep answering');
  return resolved;
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

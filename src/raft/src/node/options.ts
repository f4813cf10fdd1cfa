import type { LogStore } from '../log/log-store.ts';
import { silentLogger } from '../logger.ts';
import type { Logger } from '../logger.ts';
import type { SoftState } from '../ready.ts';
import type { ConfChangeV2, ConfState, Message, PeerId } from '../types.ts';
import type { StateMachine } from './state-machine.ts';

/** A first member of a new group. The context is handed to every member with the configuration change, for example an address. */
export interface BootstrapPeer {
  readonly id: PeerId;
  readonly context?: Uint8Array | undefined;
}

/** A configuration change that was applied. */
export interface ConfigurationChanged {
  readonly index: number;
  readonly change: ConfChangeV2;
  /** The configuration from now on. */
  readonly confState: ConfState;
}

/** What a node tells its owner. Called from the node's loop: they may call the node, but must not throw. */
export interface RaftNodeEvents {
  /**
   * This node became the leader and has applied every entry of earlier terms, or it leads no more. When leadership ends, waiting
   * proposals may still be committed or not.
   */
  leadership?(isLeader: boolean, term: number): void;
  /** Role or known leader changed. */
  softState?(state: SoftState): void;
  /** After the entry of the change was applied. Not called for a configuration that came with a snapshot. */
  configuration?(changed: ConfigurationChanged): void;
  /** A member (maybe this one) is no longer part of the configuration. */
  memberRemoved?(id: PeerId): void;
  /** A snapshot of this index replaced the state. */
  restored?(index: number): void;
  /** The node stopped because of a broken invariant or a failed log: the process should end. */
  fatal?(error: Error): void;
}

export interface RaftNodeOptions {
  readonly id: PeerId;
  /** Opened and closed by the caller, who also ends the process if it fails. */
  readonly log: LogStore;
  readonly stateMachine: StateMachine;
  /** First members, for a group that is founded now. Leave it out to join a group or to restart; ignored if the log is not empty. */
  readonly bootstrap?: readonly BootstrapPeer[] | undefined;
  /** Sends messages to the peers they are addressed to; may lose them. */
  readonly send: (messages: readonly Message[]) => void;
  /**
   * Sends a snapshot: read it with `log.openSnapshot(message.snapshot.metadata)`, transfer its content, then the message. Must be
   * answered by `reportSnapshot`.
   */
  readonly sendSnapshot: (message: Message) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Runs a task soon, after the input that is due now. Default setImmediate. */
  readonly defer?: ((task: () => void) => void) | undefined;
  /**
   * Time that has passed, in ms. If given, a leader with many entries to apply goes on for some of the time that all else took since its
   * last turn; otherwise each turn applies the same number of bytes. Default: no time passes.
   */
  readonly monotonic?: (() => number) | undefined;
  /**
   * Runs a task a little later, some milliseconds. If given, messages that tell followers nothing but how far the log is committed wait for
   * it, and are not sent at all if an append follows sooner; linearizable reads and heartbeats do not wait. Default: sent at once.
   */
  readonly deferNotice?: ((task: () => void) => void) | undefined;
  readonly events?: RaftNodeEvents | undefined;
  readonly logger?: Logger | undefined;
  /** Ticks without a leader before an election. Default 10. */
  readonly electionTicks?: number | undefined;
  /** Ticks between heartbeats. Default 1. */
  readonly heartbeatTicks?: number | undefined;
  /** Bytes of entries per append message. Default 256 KiB. */
  readonly maxMessageBytes?: number | undefined;
  /** Append messages in flight per follower. Default 256. */
  readonly maxInflightMessages?: number | undefined;
  /** Bytes in flight per follower. Default 8 MiB. */
  readonly maxInflightBytes?: number | undefined;
  /** Bytes of proposals that may wait to be applied. Default 32 MiB. */
  readonly maxUncommittedBytes?: number | undefined;
  /** Bytes of entries applied in one go. Default 1 MiB. */
  readonly maxApplyBytes?: number | undefined;
  /** Entries applied since the last snapshot that cause the next one. Default 10,000. */
  readonly snapshotEntries?: number | undefined;
  /** Entries kept behind a snapshot for slow followers. Default 500. */
  readonly trailingEntries?: number | undefined;
  /**
   * Bytes of log that may pile up before a snapshot, whatever its size: then at 4 times the last snapshot's. Before the log is twice as
   * long as the last snapshot, less this, there is none. Default 16 MiB.
   */
  readonly minSnapshotLogBytes?: number | undefined;
}

type WithoutDefault = 'bootstrap' | 'deferNotice';

export type ResolvedNodeOptions = {
  readonly [Field in keyof Omit<RaftNodeOptions, WithoutDefault>]-?: NonNullable<RaftNodeOptions[Field]>;
} & Pick<RaftNodeOptions, WithoutDefault>;

/** Fills in the defaults. */
export function resolveNodeOptions(options: RaftNodeOptions): ResolvedNodeOptions {
  return {
    id: options.id,
    log: options.log,
    stateMachine: options.stateMachine,
    bootstrap: options.bootstrap,
    send: options.send,
    sendSnapshot: options.sendSnapshot,
    random: options.random,
    deferNotice: options.deferNotice,
    defer: options.defer ?? ((task) => void setImmediate(task)),
    monotonic: options.monotonic ?? (() => 0),
    events: options.events ?? {},
    logger: options.logger ?? silentLogger,
    electionTicks: options.electionTicks ?? 10,
    heartbeatTicks: options.heartbeatTicks ?? 1,
    maxMessageBytes: options.maxMessageBytes ?? 256 * 1024,
    maxInflightMessages: options.maxInflightMessages ?? 256,
    maxInflightBytes: options.maxInflightBytes ?? 8 * 1024 * 1024,
    maxUncommittedBytes: options.maxUncommittedBytes ?? 32 * 1024 * 1024,
    maxApplyBytes: options.maxApplyBytes ?? 1024 * 1024,
    snapshotEntries: options.snapshotEntries ?? 10_000,
    trailingEntries: options.trailingEntries ?? 500,
    minSnapshotLogBytes: options.minSnapshotLogBytes ?? 16 * 1024 * 1024,
  };
}

/** Everybody who has a part in a configuration. */
export function membersOf(state: ConfState): ReadonlySet<PeerId> {
  return new Set([...state.voters, ...state.votersOutgoing, ...state.learners, ...state.learnersNext]);
}

/** One client that reads logs: which nodes are to send, which have finished, and what could not be had. */
import { SwarmError } from '../../common/errors.ts';
import {
  LogSelector,
  type LogMessage,
  type LogSubscriptionOptions,
  type SubscribeLogsRequest,
  type SubscriptionMessage,
} from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import type { LineQueue } from './line-queue.ts';

/** Clients look for this text. */
const INCOMPLETE = 'warning: incomplete log stream. some logs could not be retrieved for the following reasons: ';

interface NodePart {
  isDone: boolean;
  /** Time of the last line it sent. */
  lastLine: Timestamp | undefined;
}

export class LogSubscription {
  readonly id: string;
  readonly selector: LogSelector;
  readonly lines: LineQueue;
  readonly #options: LogSubscriptionOptions | undefined;
  readonly #nodes = new Map<string, NodePart>();
  readonly #problems = new Set<string>();
  #isStarted = false;

  constructor(id: string, request: SubscribeLogsRequest, lines: LineQueue) {
    this.id = id;
    this.selector = request.selector ?? LogSelector.fromPartial({});
    this.#options = request.options;
    this.lines = lines;
  }

  /** Takes up tasks that come later, and ends only when the client leaves. */
  get follows(): boolean {
    return this.#options?.follow ?? false;
  }

  /** Nodes that take or took part. */
  get nodeIds(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** Makes a node part of it; false when it is already. */
  add(nodeId: string): boolean {
    if (this.#nodes.has(nodeId)) return false;
    this.#nodes.set(nodeId, { isDone: false, lastLine: undefined });
    return true;
  }

  /** Whether lines of the node are still expected. */
  expects(nodeId: string): boolean {
    return this.#nodes.get(nodeId)?.isDone === false;
  }

  /** Something the client will not get; told at the end. */
  miss(problem: string): void {
    this.#problems.add(problem);
  }

  /** All nodes known so far are added: from now on it ends when the last of them is done. */
  start(): void {
    this.#isStarted = true;
    this.#endIfDone();
  }

  /** What to tell a node; one that comes back goes on where it stopped, at the cost of a line or two told twice. */
  opening(nodeId: string): SubscriptionMessage {
    const lastLine = this.#nodes.get(nodeId)?.lastLine;
    const options = this.#options && lastLine ? { ...this.#options, tail: 0, since: lastLine } : this.#options;
    return { id: this.id, selector: this.selector, options, close: false };
  }

  closing(): SubscriptionMessage {
    return { id: this.id, selector: this.selector, options: this.#options, close: true };
  }

  /** Lines of a node; resolves when it may send more. */
  async take(nodeId: string, lines: readonly LogMessage[], signal: AbortSignal): Promise<void> {
    const part = this.#nodes.get(nodeId);
    if (part) part.lastLine = lines.at(-1)?.timestamp ?? part.lastLine;
    await this.lines.push(lines, signal);
  }

  /** The node has sent everything, or never will. While following this means nothing: the node may come back. */
  done(nodeId: string, problem?: string): void {
    const part = this.#nodes.get(nodeId);
    if (!part || part.isDone || this.follows) return;
    part.isDone = true;
    if (problem !== undefined) this.#problems.add(problem);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#isStarted || this.follows) return;
    for (const part of this.#nodes.values()) if (!part.isDone) return;
    const problems = [...this.#problems];
    this.lines.end(problems.length > 0 ? new SwarmError('unknown', INCOMPLETE + problems.join(', ')) : undefined);
  }
}

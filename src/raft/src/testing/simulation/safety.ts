/** The properties that must hold at all times (paper figure 3), checked after every event on the node it happened to. */
import { MessageType } from '../../types.ts';
import type { Message, PeerId } from '../../types.ts';
import { SafetyViolation } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { SimulatedNode } from './node.ts';

interface Seen {
  term: number;
  commit: number;
}

export class SafetyChecks {
  readonly #ledger: Ledger;
  readonly #leaders = new Map<number, PeerId>();
  readonly #seen = new Map<PeerId, Seen>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get leadersElected(): number {
    return this.#leaders.size;
  }

  /** After an event on a node. */
  check(node: SimulatedNode): void {
    if (node.core === undefined) return;
    const { inside } = node.core;
    const { term, log } = inside;
    const seen = this.#seen.get(node.id);
    if (seen === undefined) {
      this.#seen.set(node.id, { term, commit: log.committed });
    } else {
      if (term < seen.term) fail(node, `term went back from ${seen.term} to ${term}`);
      if (log.committed < seen.commit) fail(node, `commit index went back from ${seen.commit} to ${log.committed}`);
      seen.term = term;
      seen.commit = log.committed;
    }
    if (!(log.applied <= log.applying && log.applying <= log.committed) && log.unstable.snapshot === undefined) {
      fail(node, `positions out of order: ${log.toString()}`);
    }
    if (log.committed > log.lastIndex()) fail(node, `commit index beyond the log: ${log.toString()}`);
    if (inside.role === 'leader') this.#checkLeader(node, term);
  }

  /** A restarted node may have forgotten a commit index or a term that was not durable; the log checks what was. */
  restarted(node: SimulatedNode): void {
    const seen = this.#seen.get(node.id);
    if (seen === undefined || node.core === undefined) return;
    seen.commit = node.core.commitIndex;
    seen.term = node.core.term;
  }

  /**
   * A message goes out: what it promises must be on disk. If the disk is at a later term already, entries promised in an earlier one may have
   * been replaced; the leader that did so was elected without this node's vote, so the promise cannot complete a quorum.
   */
  checkPromise(node: SimulatedNode, message: Message): void {
    if (node.log === undefined || !promisesDurability(message)) return;
    const { term, vote, lastIndex } = node.log.promised;
    if (term < message.term) fail(node, `answered in term ${message.term} with term ${term} on disk`);
    if (term > message.term) return;
    if (message.type === MessageType.MsgVoteResp) {
      if (vote !== message.to) fail(node, 'granted a vote that is not on disk');
    } else if (message.index > lastIndex) {
      fail(node, `acknowledged ${message.index} with ${lastIndex} on disk`);
    }
  }

  /** Two logs with the same term at an index are the same up to it (log matching). Costly, so called now and then. */
  checkLogsMatch(a: SimulatedNode, b: SimulatedNode): void {
    if (a.core === undefined || b.core === undefined) return;
    const [first, second] = [a.core.inside.log, b.core.inside.log];
    let isEqual = false;
    for (let i = Math.min(first.lastIndex(), second.lastIndex()); i > 0; i--) {
      const ours = first.term(i);
      const theirs = second.term(i);
      if (typeof ours === 'string' || typeof theirs === 'string') return;
      if (ours === theirs) isEqual = true;
      else if (isEqual) fail(a, `log differs from that of ${b.id} at ${i}, below an index where they agree`);
    }
  }

  /** One leader per term, whose log holds everything committed in earlier terms (election safety, leader completeness). */
  #checkLeader(node: SimulatedNode, term: number): void {
    const known = this.#leaders.get(term);
    if (known === node.id) return;
    if (known !== undefined) fail(node, `second leader of term ${term}, the first was ${known}`);
    this.#leaders.set(term, node.id);
    const last = this.#ledger.lastCommittedBefore(term);
    const own = node.core?.inside.log.term(last);
    if (own !== this.#ledger.term(last) && own !== 'compacted') {
      fail(node, `elected in term ${term} without the entry at ${last} that was committed before`);
    }
  }
}

/** True for answers that promise something is on disk. */
function promisesDurability({ type, reject }: Message): boolean {
  return !reject && (type === MessageType.MsgAppResp || type === MessageType.MsgVoteResp);
}

function fail(node: SimulatedNode, text: string): never {
  throw new SafetyViolation(`node ${node.id}: ${text}`);
}

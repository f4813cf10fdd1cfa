/** Planted bugs in replication, commitment, reads and snapshots of the state machine. */
import { edit } from '../planting/edit.ts';
import { mutation, type Mutation } from './mutation.ts';

const LOG = 'src/raft-log.ts';
const READS = 'src/machine/reads.ts';
const SNAPSHOTS = 'src/machine/snapshots.ts';
const PROGRESS = 'src/tracker/progress.ts';

export const REPLICATION_MUTATIONS: readonly Mutation[] = [
  mutation(
    'commits an entry of an older term by counting',
    { test: 'replication.test.ts', simulation: 100 },
    edit(
      LOG,
      '|| term === 0 || !this.matchesTerm(index, term)) return false;',
      "|| term === 0 || typeof this.term(index) === 'string') return false;",
    ),
  ),
  mutation(
    'append of a leader of a lower term accepted',
    { test: 'elections.test.ts', simulation: 60 },
    edit(
      'src/machine/step.ts',
      '} else if (message.term < raft.term) {',
      '} else if (message.term < raft.term && message.type !== MessageType.MsgApp) {',
    ),
  ),
  mutation(
    'append without a check of the entry before',
    { conformance: true, simulation: 20 },
    edit(
      LOG,
      'if (!this.matchesTerm(prevIndex, prevTerm)) return undefined;',
      'if (prevIndex > this.lastIndex()) return undefined;',
    ),
  ),
  mutation(
    'append always cuts the log',
    { test: 'replication.test.ts', simulation: 20 },
    edit(
      LOG,
      'const conflict = this.#findConflict(entries);',
      'const first = entries[0]?.index ?? 0;\n    const conflict = first > this.committed ? first : this.#findConflict(entries);',
    ),
  ),
  mutation(
    'conflicting suffix kept',
    { conformance: true, simulation: 20 },
    edit(LOG, 'if (ours === entry.term) continue;', "if (typeof ours === 'number') continue;"),
  ),
  mutation(
    'commit index of a follower not limited to the last new entry',
    { test: 'replication.test.ts' },
    edit(LOG, 'this.commitTo(Math.min(commit, lastNew));', 'this.commitTo(Math.min(commit, this.lastIndex()));'),
  ),
  mutation(
    'commit index of a heartbeat not limited to what matches',
    { conformance: true, simulation: 10 },
    edit(
      'src/machine/sending.ts',
      'message.commit = Math.min(progress.match, raft.log.committed);',
      'message.commit = raft.log.committed;',
    ),
  ),
  mutation(
    'append acknowledged before it is durable',
    { conformance: true, simulation: 10 },
    edit(
      'src/machine/raft.ts',
      'switch (message.type) {\n      case MessageType.MsgAppResp:\n      case MessageType.MsgVoteResp:',
      'switch (message.type) {\n      case MessageType.MsgAppResp:\n        if (message.to === this.id) this.messagesAfterAppend.push(message);\n        else this.messages.push(message);\n        break;\n      case MessageType.MsgVoteResp:',
    ),
  ),
  mutation(
    'leader counts itself before its write is durable',
    { conformance: true, simulation: 60 },
    edit(
      'src/machine/own-log.ts',
      'raft.send(answer);',
      'raft.tracker.progress.get(raft.id)?.maybeUpdate(answer.index);\n  raft.send(answer);',
    ),
  ),
  mutation(
    'late answer of storage not checked for its term',
    { test: 'log-and-storage.test.ts', simulation: 60 },
    edit('src/unstable.ts', 'if (known !== term) {', 'if (known !== term && term < 0) {'),
    edit(
      'src/machine/step.ts',
      'if (message.index !== 0 && raft.logs(LogLevel.Info)) {',
      'if (message.index !== 0) raft.log.unstable.stableTo(message.index, message.logTerm);\n    if (message.index !== 0 && raft.logs(LogLevel.Info)) {',
    ),
  ),
  mutation(
    'late rejection moves progress back',
    { test: 'flow-control.test.ts' },
    edit(PROGRESS, 'if (rejected <= this.match) return false;', ''),
    edit(PROGRESS, 'if (this.next - 1 !== rejected) return false;', ''),
  ),
  mutation(
    'no append on the answer to a heartbeat',
    { conformance: true, simulation: 20 },
    edit(
      'src/machine/replication.ts',
      'if (progress.match < raft.log.lastIndex() || progress.state === ProgressState.Probe)\n    sendAppend(raft, message.from, progress);',
      '',
    ),
  ),
  mutation(
    'limit of messages in flight ignored',
    { conformance: true },
    edit(
      'src/machine/sending.ts',
      'if (progress.state !== ProgressState.Replicate || !progress.inflights.isFull()) {',
      'if (progress.next > 0) {',
    ),
  ),
  mutation(
    'probes entry by entry',
    { conformance: true },
    edit(
      'src/machine/replication.ts',
      'const probe = logTerm > 0 ? raft.log.findConflictByTerm(rejectHint, logTerm).index : rejectHint;',
      'const probe = Math.max(rejectHint, index - 1);',
    ),
  ),
  mutation(
    'read without a quorum',
    { conformance: true, test: 'reads.test.ts', simulation: 20 },
    edit(READS, "if (raft.config.readOnly === 'lease-based') {", 'if (raft.term > 0) {'),
  ),
  mutation(
    'read before an entry of the own term is committed',
    { test: 'reads.test.ts', simulation: 40 },
    edit(
      READS,
      'if (!raft.hasCommittedInTerm) {\n    raft.postponedReads',
      'if (raft.term < 0) {\n    raft.postponedReads',
    ),
  ),
  mutation(
    'read of a single voter before an entry of the own term is committed',
    { test: 'reads.test.ts', simulation: 60 },
    edit(
      READS,
      'if (!raft.hasCommittedInTerm) {\n    raft.postponedReads',
      'if (!raft.hasCommittedInTerm && raft.tracker.voterIds.length > 1) {\n    raft.postponedReads',
    ),
  ),
  mutation(
    'read confirmed by an old heartbeat answer',
    { test: 'reads.test.ts' },
    edit('src/read-only.ts', 'this.#confirmed.set(from, number);', 'this.#confirmed.set(from, this.#last);'),
  ),
  mutation(
    'old snapshot restored',
    { conformance: true, test: 'ready.test.ts', simulation: 20 },
    edit(SNAPSHOTS, 'if (index <= raft.log.committed) return false;', ''),
  ),
  mutation(
    'snapshot keeps the log it conflicts with',
    { test: 'log-and-storage.test.ts', simulation: 20 },
    edit('src/unstable.ts', 'this.entries = [];\n    this.snapshot = snapshot;', 'this.snapshot = snapshot;'),
  ),
];

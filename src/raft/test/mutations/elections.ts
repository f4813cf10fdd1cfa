/** Planted bugs in terms, votes and leadership. */
import { edit } from '../planting/edit.ts';
import { mutation, type Mutation } from './mutation.ts';

const ELECTIONS = 'src/machine/elections.ts';
const RAFT = 'src/machine/raft.ts';

export const ELECTION_MUTATIONS: readonly Mutation[] = [
  mutation(
    'quorum off by one',
    { conformance: true, simulation: 20 },
    edit(
      'src/quorum/majority.ts',
      'return indexes[n - ((n >> 1) + 1)] as number;',
      'return indexes[Math.min(n - 1, n - (n >> 1))] as number;',
    ),
  ),
  mutation(
    'votes twice in a term',
    { test: 'elections.test.ts', simulation: 60 },
    edit(ELECTIONS, '(raft.vote === NO_PEER && raft.leader === NO_PEER) ||', 'raft.leader === NO_PEER ||'),
  ),
  mutation(
    'vote without log comparison',
    { conformance: true, simulation: 20 },
    edit(
      ELECTIONS,
      'const grants = mayVote && raft.log.isUpToDate(message.index, message.logTerm);',
      'const grants = mayVote;',
    ),
  ),
  mutation(
    'duplicate vote answers counted',
    { test: 'elections.test.ts', simulation: 60 },
    edit(
      'src/tracker/tracker.ts',
      'if (!this.#votes.has(id)) this.#votes.set(id, granted);',
      'const other = this.#votes.has(id) ? this.#voterIds.find((voter) => !this.#votes.has(voter)) : id; if (other !== undefined) this.#votes.set(other, granted);',
    ),
  ),
  mutation(
    'vote cleared when following again in the same term',
    { conformance: true, simulation: 60 },
    edit(
      RAFT,
      'if (this.term !== term) {\n      this.term = term;\n      this.vote = NO_PEER;\n    }',
      'this.term = term;\n    this.vote = NO_PEER;',
    ),
  ),
  mutation(
    'vote not persisted',
    { test: 'elections.test.ts', simulation: 20 },
    edit(
      RAFT,
      'return { term: this.term, vote: this.vote, commit: this.log.committed };',
      'return { term: this.term, vote: NO_PEER, commit: this.log.committed };',
    ),
  ),
  mutation(
    'vote answered before it is durable',
    { conformance: true, simulation: 20 },
    edit(
      RAFT,
      'case MessageType.MsgVoteResp:\n      case MessageType.MsgPreVoteResp:\n        this.messagesAfterAppend.push(message);',
      'case MessageType.MsgPreVoteResp:\n        this.messagesAfterAppend.push(message);\n        break;\n      case MessageType.MsgVoteResp:\n        if (message.to === this.id) this.messagesAfterAppend.push(message);\n        else this.messages.push(message);',
    ),
  ),
  mutation(
    'leads before its own term is durable',
    { test: 'elections.test.ts' },
    edit(ELECTIONS, "if (raft.role === 'candidate' && !raft.tracker.hasVoteOf(raft.id)) return;", ''),
  ),
  mutation(
    'campaigns with an unapplied configuration change',
    { conformance: true, test: 'conf-change.test.ts' },
    edit(ELECTIONS, 'if (hasUnappliedConfChange(raft)) {', 'if (hasUnappliedConfChange(raft) && raft.term < 0) {'),
  ),
  mutation(
    'learner never votes',
    { test: 'elections.test.ts', simulation: 40 },
    edit(
      ELECTIONS,
      'const grants = mayVote && raft.log',
      'const grants = mayVote && raft.tracker.isVoter(raft.id) && raft.log',
    ),
  ),
  mutation(
    'leader without a quorum does not step down',
    { test: 'check-quorum.test.ts', simulation: 20 },
    edit(
      'src/machine/leader.ts',
      'if (!raft.tracker.isQuorumActive()) {',
      'if (!raft.tracker.isQuorumActive() && raft.term < 0) {',
    ),
  ),
  mutation(
    'lease ignored',
    { conformance: true, simulation: 20 },
    edit(ELECTIONS, 'const inLease = checkQuorum && raft', 'const inLease = checkQuorum && raft.term < 0 && raft'),
  ),
  mutation(
    'pre-vote raises the term',
    { conformance: true, simulation: 20 },
    edit(
      'src/machine/step.ts',
      'if (type === MessageType.MsgPreVote || (type === MessageType.MsgPreVoteResp && !message.reject)) return true;',
      'if (type === MessageType.MsgPreVoteResp && !message.reject) return true;',
    ),
  ),
  mutation(
    'new leader writes no entry of its own',
    { conformance: true, simulation: 5 },
    edit(
      'src/machine/roles.ts',
      'if (appendEntries(raft, [{ type: EntryType.Normal, data: NO_BYTES }]) === 0) {',
      'if (appendEntries(raft, []) === 0) {',
    ),
  ),
  mutation(
    'proposals taken during a transfer',
    { test: 'transfer.test.ts' },
    edit(
      'src/machine/proposals.ts',
      'if (raft.leadTransferee !== NO_PEER) {',
      'if (raft.leadTransferee !== NO_PEER && raft.term < 0) {',
    ),
  ),
];

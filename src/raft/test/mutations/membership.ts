/** Planted bugs in configurations and their changes. */
import { edit } from '../planting/edit.ts';
import { mutation, type Mutation } from './mutation.ts';

const TRACKER = 'src/tracker/tracker.ts';
const SENDING = 'src/machine/sending.ts';

export const MEMBERSHIP_MUTATIONS: readonly Mutation[] = [
  mutation(
    'joint commit looks at the new half only',
    { conformance: true },
    edit(
      'src/quorum/joint.ts',
      'return Math.min(majorityIndex(incoming), majorityIndex(outgoing));',
      'return incoming.length > 0 ? majorityIndex(incoming) : majorityIndex(outgoing);',
    ),
  ),
  mutation(
    'joint vote looks at the new half only',
    { conformance: true, test: 'elections.test.ts' },
    edit(
      'src/quorum/joint.ts',
      'if (first === second) return first;',
      'if (incoming.length > 0 || first === second) return first;',
    ),
  ),
  mutation(
    'learner counted in the quorum',
    { conformance: true, simulation: 100 },
    edit(
      TRACKER,
      'this.#incoming = config.voters.map(',
      'this.#incoming = [...config.voters, ...config.learners].map(',
    ),
  ),
  mutation(
    'removed leader counts itself',
    { conformance: true },
    edit(
      SENDING,
      'return raft.log.maybeCommit(raft.tracker.committed(), raft.term);',
      'const { tracker } = raft;\n  const others = tracker.config.voters.map((id) => tracker.progress.get(id)?.match ?? 0);\n  const index = tracker.isVoter(raft.id) ? tracker.committed() : majorityIndex([...others, raft.log.lastIndex()]);\n  return raft.log.maybeCommit(index, raft.term);',
    ),
    edit(
      SENDING,
      "import type { Raft } from './raft.ts';",
      "import type { Raft } from './raft.ts';\nimport { majorityIndex } from '../quorum/majority.ts';",
    ),
  ),
  mutation(
    'two configuration changes in flight',
    { conformance: true, simulation: 100 },
    edit(
      'src/machine/proposals.ts',
      'if (raft.pendingConfIndex > raft.log.applied) {',
      'if (raft.pendingConfIndex < 0) {',
    ),
  ),
  mutation(
    'configuration change before the leader commits in its term',
    { test: 'conf-change.test.ts' },
    edit('src/machine/roles.ts', 'raft.pendingConfIndex = raft.log.lastIndex();', ''),
  ),
  mutation(
    'snapshot drops the configuration',
    { conformance: true, simulation: 40 },
    edit('src/machine/snapshots.ts', '  switchConfiguration(raft, restored);\n', ''),
  ),
  mutation(
    'joint configuration is never left',
    { conformance: true, simulation: 60 },
    edit('src/machine/applied.ts', 'if (!raft.tracker.config.autoLeave || applied', 'if (raft.term > 0 || applied'),
  ),
  mutation(
    'change that removes all voters accepted',
    { test: 'conf-change.test.ts', simulation: 60 },
    edit(
      'src/membership/changer.ts',
      "return draft.incoming.size === 0 ? 'removed all voters' : undefined;",
      'return undefined;',
    ),
  ),
];

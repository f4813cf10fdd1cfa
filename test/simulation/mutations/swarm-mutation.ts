/** A bug planted in the managers' code, as in raft-ts (see src/raft/test/planting). */
import type { Edit } from '../../../src/raft/test/planting/edit.ts';

export interface SwarmMutation {
  readonly name: string;
  /** Files below the repository. */
  readonly edits: readonly Edit[];
}

export function swarmMutation(name: string, ...edits: readonly Edit[]): SwarmMutation {
  return { name, edits };
}

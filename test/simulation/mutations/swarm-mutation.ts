/** A bug planted in the managers' code, as in raft-ts (see src/raft/test/planting). */
import type { Edit } from '../../../src/raft/test/planting/edit.ts';

export interface SwarmMutation {
  readonly name: string;
  /** Files below the repository. */
  readonly edits: readonly Edit[];
  /** A fault that is to strike often, for bugs that show at rare meetings only. */
  readonly often?: string;
}

export function swarmMutation(name: string, ...edits: readonly Edit[]): SwarmMutation {
  return { name, edits };
}

/** @param fault that makes what has to meet meet */
export function often(fault: string, mutation: SwarmMutation): SwarmMutation {
  return { ...mutation, often: fault };
}

/** A bug planted in the managers' code, as in raft-ts (see src/raft/test/planting). */
import type { Edit } from '../../../src/raft/test/planting/edit.ts';

export interface SwarmMutation {
  readonly name: string;
  /** Files below the repository. */
  readonly edits: readonly Edit[];
  /** Faults (a list with commas) of which one is to strike often, for bugs that show at rare meetings only. */
  readonly often?: string;
}

export function swarmMutation(name: string, ...edits: readonly Edit[]): SwarmMutation {
  return { name, edits };
}

/** @param faults that make what has to meet meet */
export function often(faults: string, mutation: SwarmMutation): SwarmMutation {
  return { ...mutation, often: faults };
}

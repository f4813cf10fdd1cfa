/** A bug planted in raft-ts, and who must find it. */
import type { Edit } from '../planting/edit.ts';

/** What is run against a mutation. Any one of them must fail. */
export interface Detectors {
  /** The data files of etcd-io/raft. */
  readonly conformance?: boolean;
  /** A test file below src/raft/test. */
  readonly test?: string;
  /** The simulator; a number is the most seeds it may take. */
  readonly simulation?: number;
}

export interface Mutation {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly foundBy: Detectors;
}

export function mutation(name: string, foundBy: Detectors, ...edits: readonly Edit[]): Mutation {
  return { name, edits, foundBy };
}

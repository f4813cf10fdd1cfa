/**
 * A bug planted on purpose: a change of the source text, made in a copy. The product holds no switches for this, every mutation is exactly the
 * code somebody might have written, and one whose text is no longer found is an error, so none goes stale unseen.
 */
export interface Edit {
  /** Below src/raft. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

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

export function edit(file: string, find: string, replace: string): Edit {
  return { file, find, replace };
}

/** The changed text; throws if the place is not found exactly once. */
export function apply({ file, find, replace }: Edit, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(`${file}: the text to change is there ${parts.length - 1} times instead of once:\n${find}`);
  return parts.join(replace);
}

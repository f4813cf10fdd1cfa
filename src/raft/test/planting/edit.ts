/**
 * A bug planted on purpose is a change of the source text, made in a copy. The product holds no switches for this, every bug is exactly the
 * code somebody might have written, and one whose text is no longer found is an error, so none goes stale unseen.
 */
export interface Edit {
  /** Within the copy. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
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

/** What changed between two looks at a list, by the rows people see. */

export interface Row {
  readonly id: string;
  readonly text: string;
}

export type RowChange = { readonly action: 'added' | 'changed' | 'removed' } & Row;

/** Removed rows first, then new and changed ones in the order of the list. A removed row is as it was last. */
export function rowChanges(before: ReadonlyMap<string, string>, rows: readonly Row[]): readonly RowChange[] {
  const ids = new Set(rows.map((row) => row.id));
  const removed = [...before].filter(([id]) => !ids.has(id));
  return [
    ...removed.map(([id, text]): RowChange => ({ action: 'removed', id, text })),
    ...rows.flatMap((row): readonly RowChange[] => {
      const old = before.get(row.id);
      if (old === row.text) return [];
      return [{ action: old === undefined ? 'added' : 'changed', ...row }];
    }),
  ];
}

/** What was probably meant by a name that is not known. */

/** "did you mean …?", or else all that is known. */
export function nearest(name: string, known: readonly string[]): string {
  const [best] = known
    .map((word) => ({ word, distance: editDistance(name.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  if (best && best.distance <= Math.max(1, Math.floor(name.length / 3))) return `did you mean ${best.word}?`;
  return `known here: ${[...known].sort((a, b) => a.localeCompare(b)).join(', ')}`;
}

/** Letters to add, remove or replace (Wagner and Fischer 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split('').entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

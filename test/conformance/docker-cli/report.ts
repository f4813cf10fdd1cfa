/** Writes what the scenarios gave into docs/compatibility.md, between the marks of its one-node and two-node part. */

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  /** "pass", "loose" (equal but for the words of errors), "fail", "skip", "noref", "unusable" */
  readonly verdict: string;
}

const VERDICTS: Readonly<Record<string, string>> = {
  pass: 'equal',
  loose: 'other words of an error',
  fail: 'differs',
  noref: 'not recorded',
  unusable: 'recording is unusable',
};

/**
 * Puts results into the document's part for so many nodes; those of scenarios that were not played now stay.
 * Throws when the document has no such part.
 */
export function withResults(document: string, nodes: number, results: readonly ScenarioResult[]): string {
  const begin = `<!-- results with ${nodes} node${nodes === 1 ? '' : 's'}: written by the runner -->`;
  const end = '<!-- end of results -->';
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/compatibility.md has no part that begins with ${begin}`);
  const start = from + begin.length;
  const rows = new Map(rowsIn(document.slice(start, to)).map((row) => [row[0], row]));
  for (const { name, title, verdict } of results) {
    if (verdict !== 'skip') rows.set(name, [name, title, VERDICTS[verdict] ?? verdict]);
  }
  const sorted = [...rows.values()].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${document.slice(0, start)}\n\n${tableOf(sorted)}\n\n${document.slice(to)}`;
}

/** Name, title and result. */
type Row = readonly [name: string, title: string, result: string];

const rowsIn = (part: string): readonly Row[] =>
  [...part.matchAll(/^\| (\d\S*) +\| (.*?) +\| (.*?) +\|$/gm)].map(([, name = '', title = '', result = '']) => [
    name,
    title,
    result,
  ]);

function tableOf(rows: readonly Row[]): string {
  const equal = rows.filter(([, , result]) => result === VERDICTS['pass']).length;
  const table: readonly Row[] = [['scenario', 'what it does', 'result'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = table;
  return [
    `${equal} of ${rows.length} are equal to the letter.`,
    '',
    line(head),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...body.map(line),
  ].join('\n');
}

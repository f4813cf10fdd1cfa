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

/** Throws when the document has no place for results of so many nodes. */
export function withResults(document: string, nodes: number, results: readonly ScenarioResult[]): string {
  const begin = `<!-- results with ${nodes} node${nodes === 1 ? '' : 's'}: written by the runner -->`;
  const end = '<!-- end of results -->';
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/compatibility.md has no part that begins with ${begin}`);
  return `${document.slice(0, from + begin.length)}\n\n${tableOf(results)}\n\n${document.slice(to)}`;
}

function tableOf(results: readonly ScenarioResult[]): string {
  const played = results.filter(({ verdict }) => verdict !== 'skip');
  const equal = played.filter(({ verdict }) => verdict === 'pass').length;
  const rows = played.map(({ name, title, verdict }) => [name, title, VERDICTS[verdict] ?? verdict]);
  const table = [['scenario', 'what it does', 'result'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = table;
  return [
    `${equal} of ${played.length} are equal to the letter.`,
    '',
    line(head),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...body.map(line),
  ].join('\n');
}

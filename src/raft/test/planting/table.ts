/** Cells of the tables that tell who found which planted bug. */

const LONGEST = 110;

/** One line, not too long, in which nothing ends the cell or means anything to Markdown. */
export function cell(text: string): string {
  const line = text.replaceAll('\n', ' ');
  const short = line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
  return short.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_');
}

export function thousands(events: number): string {
  return events >= 1000 ? `${Math.round(events / 1000)} k` : String(events);
}

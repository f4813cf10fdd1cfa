/** Cells of the tables that tell who found which planted bug. */

const LONGEST = 110;

/** One line in which nothing ends the cell or means anything to Markdown. */
export function cell(text: string): string {
  const line = text.replaceAll('\n', ' ');
  return line.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_');
}

/** A cell for what broke, which may be told at length. */
export function shortCell(text: string): string {
  return cell(text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
}

export function thousands(events: number): string {
  return events >= 1000 ? `${Math.round(events / 1000)} k` : String(events);
}

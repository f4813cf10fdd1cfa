/** How results are shown: tables for people, JSON, YAML or templates for programs. Data goes to standard output, all else to standard error. */
import { stringify } from 'yaml';
import { compileTemplate, templateHeader } from './template.ts';
import { paint, type Style, type Terminal } from './terminal.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Output = (typeof OUTPUTS)[number];

export interface OutputOptions {
  readonly output: Output;
  readonly format?: string | undefined;
  /** Ids only. */
  readonly quiet?: boolean | undefined;
  /** Whole ids and texts. */
  readonly noTrunc?: boolean | undefined;
}

export interface Column<T> {
  readonly header: string;
  readonly value: (item: T) => string;
  /** How the cell looks on a terminal. */
  readonly style?: (item: T) => Style | undefined;
  /** Changes by the clock alone, so that it says nothing about the item. */
  readonly isClock?: boolean;
  /** Shown by `wide` only. */
  readonly isWide?: boolean;
}

/** What a list shows. */
export interface Listing<T> {
  readonly items: readonly T[];
  readonly columns: readonly Column<T>[];
  /** What --quiet and `name` output show. */
  readonly id: (item: T) => string;
  readonly name: (item: T) => string;
}

/** For people, rather than for programs. */
export const isForPeople = ({ output, format }: OutputOptions): boolean =>
  format === undefined && (output === 'table' || output === 'wide');

/** A list as the options ask for it. */
export function listText<T>(
  { items, columns, id, name }: Listing<T>,
  options: OutputOptions,
  hasColours: boolean,
): string {
  const lines = (of: (item: T) => string): string => items.map((item) => `${of(item)}\n`).join('');
  if (options.format !== undefined) {
    return formatted(
      items.map((value) => ({ value, cells: cellsOf(value, columns) })),
      options.format,
    );
  }
  if (options.quiet) return lines(id);
  if (options.output === 'name') return lines(name);
  if (options.output === 'wide') return table(columns, items, hasColours);
  if (options.output !== 'table') return valueText(items, options);
  return table(
    columns.filter((column) => !column.isWide),
    items,
    hasColours,
  );
}

export const printList = <T>(terminal: Terminal, listing: Listing<T>, options: OutputOptions): void =>
  terminal.out(listText(listing, options, terminal.hasColours));

/** One object, or a list of whole objects. */
export const printValue = (terminal: Terminal, value: unknown, options: OutputOptions): void =>
  terminal.out(valueText(value, options));

function valueText(value: unknown, options: OutputOptions): string {
  if (options.format !== undefined) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return formatted(
      values.map((v) => ({ value: v })),
      options.format,
    );
  }
  return options.output === 'yaml' ? stringify(value) : `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Columns padded to their widest cell, three blanks apart. */
export function table<T>(columns: readonly Column<T>[], items: readonly T[], hasColours = false): string {
  const cells = items.map((item) => columns.map((c) => c.value(item)));
  const styles = items.map((item) => columns.map((c) => c.style?.(item)));
  const header = columns.map((c) => c.header);
  return aligned([header, ...cells], (text, row, column) =>
    !hasColours ? text : paint(row === 0 ? 'bold' : styles[row - 1]?.[column], text),
  );
}

/** Rows of cells under one another; `show` may decorate a cell once it is padded. */
function aligned(
  rows: readonly (readonly string[])[],
  show: (text: string, row: number, column: number) => string = (text) => text,
): string {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const lines = rows.map((row, r) => {
    const last = row.findLastIndex((cell) => cell !== '');
    const shown = row.slice(0, last + 1);
    return shown.map((cell, c) => show(c === last ? cell : cell.padEnd(widths[c] ?? 0), r, c)).join('   ');
  });
  return lines.map((line) => `${line}\n`).join('');
}

export const shortId = (id: string, options: Pick<OutputOptions, 'noTrunc' | 'output'>): string =>
  options.noTrunc || options.output === 'wide' ? id : id.slice(0, 12);

/** "3 minutes ago" for an RFC 3339 time. */
export function ago(time: string, nowMs = Date.now()): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(time)) / 1000));
  const units = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
    ['second', 1],
  ] as const;
  const [unit, size] = units.find(([, s]) => seconds >= s) ?? (['second', 1] as const);
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

/** Cells of a row by their header in the form templates name them: "CURRENT STATE" is CurrentState. */
const cellsOf = <T>(item: T, columns: readonly Column<T>[]): Readonly<Record<string, string>> =>
  Object.fromEntries(columns.map((c) => [pascal(c.header), c.value(item)]));

const pascal = (header: string): string =>
  header === 'ID'
    ? 'ID'
    : header.toLowerCase().replace(/(^|\s)(\w)/g, (_, _gap, letter: string) => letter.toUpperCase());

interface Row {
  readonly value: unknown;
  /** What a template finds by a single name before it looks into the value. */
  readonly cells?: Readonly<Record<string, string>>;
}

function formatted(rows: readonly Row[], format: string): string {
  if (format === 'json') return rows.map(({ value }) => `${JSON.stringify(value)}\n`).join('');
  const isTable = format.startsWith('table ');
  const text = isTable ? format.slice('table '.length).trim() : format;
  const render = compileTemplate(text);
  const lines = rows.map(({ value, cells }) => render(value, cells));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  return aligned([templateHeader(text), ...lines].map((line) => line.split('\t')));
}

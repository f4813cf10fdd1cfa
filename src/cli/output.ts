/** How results are shown: tables for people, JSON, YAML or templates for programs. Data goes to standard output, all else to standard error. */
import { stringify } from 'yaml';
import { compileTemplate, templateHeader } from './template.ts';

export const OUTPUTS = ['table', 'json', 'yaml', 'name'] as const;
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
}

/** What commands print to; tests collect it. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly isInteractive: boolean;
}

export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY === true,
};

interface Listing<T> {
  readonly items: readonly T[];
  readonly columns: readonly Column<T>[];
  /** What `name` output and --quiet show. */
  readonly id: (item: T) => string;
  readonly name: (item: T) => string;
}

export function printList<T>(
  terminal: Terminal,
  { items, columns, id, name }: Listing<T>,
  options: OutputOptions,
): void {
  if (options.format !== undefined)
    return printFormatted(
      terminal,
      items.map((item) => rowOf(item, columns)),
      options.format,
    );
  if (options.quiet) return items.forEach((item) => terminal.out(`${id(item)}\n`));
  if (options.output === 'name') return items.forEach((item) => terminal.out(`${name(item)}\n`));
  if (options.output === 'table') terminal.out(table(columns, items));
  else printValue(terminal, items, options);
}

/** One object, or a list of whole objects. */
export function printValue(terminal: Terminal, value: unknown, options: OutputOptions): void {
  if (options.format !== undefined)
    return printFormatted(terminal, Array.isArray(value) ? value : [value], options.format);
  terminal.out(options.output === 'yaml' ? stringify(value) : `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Columns padded to their widest cell, two blanks apart. */
export function table<T>(columns: readonly Column<T>[], items: readonly T[]): string {
  const rows = [columns.map((c) => c.header), ...items.map((item) => columns.map((c) => c.value(item)))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}

export const shortId = (id: string, options: Pick<OutputOptions, 'noTrunc'>): string =>
  options.noTrunc ? id : id.slice(0, 12);

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
const rowOf = <T>(item: T, columns: readonly Column<T>[]): Record<string, unknown> => ({
  ...(item as object),
  ...Object.fromEntries(columns.map((c) => [pascal(c.header), c.value(item)])),
});

const pascal = (header: string): string =>
  header === 'ID'
    ? 'ID'
    : header.toLowerCase().replace(/(^|\s)(\w)/g, (_, _gap, letter: string) => letter.toUpperCase());

function printFormatted(terminal: Terminal, items: readonly unknown[], format: string): void {
  if (format === 'json') return items.forEach((item) => terminal.out(`${JSON.stringify(item)}\n`));
  const isTable = format.startsWith('table ');
  const text = isTable ? format.slice('table '.length) : format;
  const render = compileTemplate(text);
  if (isTable) terminal.out(`${templateHeader(text)}\n`);
  for (const item of items) terminal.out(`${render(item)}\n`);
}

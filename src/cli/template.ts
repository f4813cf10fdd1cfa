/**
 * `--format` templates: the part of Docker's that people use. `{{.Field.Sub}}`, `{{json .Field}}`, `{{.}}`, and the
 * escapes \t and \n; "table …" prints a header made of the field names and aligns what tabs part.
 */
import { UsageError } from './usage-error.ts';

type Cells = Readonly<Record<string, string>>;
/** Cells are what a single name means before it is looked up in the value. */
type Render = (value: unknown, cells?: Cells) => string;
type Read = (value: unknown, cells?: Cells) => unknown;

/** Compiles a template. Throws a UsageError naming what cannot be understood. */
export function compileTemplate(text: string): Render {
  const parts: (string | Render)[] = [];
  const pattern = /\{\{\s*(.*?)\s*\}\}/gs;
  const unescaped = text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  let at = 0;
  for (const match of unescaped.matchAll(pattern)) {
    parts.push(unescaped.slice(at, match.index), compileAction(match[1] ?? '', text));
    at = match.index + match[0].length;
  }
  parts.push(unescaped.slice(at));
  return (value, cells) => parts.map((part) => (typeof part === 'string' ? part : part(value, cells))).join('');
}

/** Field names of a template, for the header of "table" formats: {{.CurrentState}} stands under CURRENT STATE. */
export const templateHeader = (text: string): string =>
  text
    .replaceAll('\\t', '\t')
    .replace(/\{\{\s*(?:json\s+)?\.?([\w.]*)\s*\}\}/g, (_, path: string) =>
      (path.split('.').at(-1) ?? '').replace(/([a-z])([A-Z])/g, '$1 $2').toUpperCase(),
    );

function compileAction(action: string, template: string): Render {
  const [first = '', second, ...rest] = action.split(/\s+/);
  if (first === 'json' && second !== undefined && rest.length === 0) {
    const read = compilePath(second, template);
    return (value, cells) => JSON.stringify(read(value, cells));
  }
  if (second === undefined) {
    const read = compilePath(first, template);
    return (value, cells) => textOf(read(value, cells));
  }
  throw unknown(template, action);
}

function compilePath(path: string, template: string): Read {
  if (path === '.') return (value) => value;
  if (!/^(\.[A-Za-z_][\w]*)+$/.test(path)) throw unknown(template, path);
  const keys = path.slice(1).split('.');
  const [first = ''] = keys;
  return (value, cells) =>
    (keys.length === 1 ? fieldOf(cells, first) : undefined) ??
    keys.reduce<unknown>((current, key) => fieldOf(current, key), value);
}

/** Own fields only, ignoring case, so that .Id finds ID. */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const key =
    Object.keys(value).find((k) => k === name) ??
    Object.keys(value).find((k) => k.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (value as Record<string, unknown>)[key];
}

const textOf = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
};

const unknown = (template: string, part: string): UsageError =>
  new UsageError(`--format "${template}": "${part}" is not known; use {{.Field}}, {{.Field.Sub}} or {{json .Field}}`);

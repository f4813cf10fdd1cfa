/**
 * `--format` templates: the part of Docker's that people use. `{{.Field.Sub}}`, `{{json .Field}}`, `{{.}}`, and the
 * escapes \t and \n; "table …" prints a header made of the field names.
 */
import { SwarmError } from '../common/errors.ts';

type Render = (value: unknown) => string;

/** Compiles a template. Throws invalidArgument naming what cannot be understood. */
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
  return (value) => parts.map((part) => (typeof part === 'string' ? part : part(value))).join('');
}

/** Field names of a template, for the header of "table" formats. */
export const templateHeader = (text: string): string =>
  text
    .replaceAll('\\t', '\t')
    .replace(/\{\{\s*(?:json\s+)?\.?([\w.]*)\s*\}\}/g, (_, path: string) =>
      (path.split('.').at(-1) ?? '').toUpperCase(),
    );

function compileAction(action: string, template: string): Render {
  const [first = '', second, ...rest] = action.split(/\s+/);
  if (first === 'json' && second !== undefined && rest.length === 0) {
    const read = compilePath(second, template);
    return (value) => JSON.stringify(read(value));
  }
  if (second === undefined) {
    const read = compilePath(first, template);
    return (value) => textOf(read(value));
  }
  throw unknown(template, action);
}

function compilePath(path: string, template: string): (value: unknown) => unknown {
  if (path === '.') return (value) => value;
  if (!/^(\.[A-Za-z_][\w]*)+$/.test(path)) throw unknown(template, path);
  const keys = path.slice(1).split('.');
  return (value) => keys.reduce<unknown>((current, key) => fieldOf(current, key), value);
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

const unknown = (template: string, part: string): SwarmError =>
  new SwarmError(
    'invalidArgument',
    `--format "${template}": "${part}" is not known; use {{.Field}}, {{.Field.Sub}} or {{json .Field}}`,
  );

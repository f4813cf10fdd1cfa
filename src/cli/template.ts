/**
 * `--format` templates: Go templates over what a command shows, with the functions the docker command line adds. "table …"
 * prints a header made of the field names and aligns what tabs part.
 */
import { isSwarmError } from '../common/errors.ts';
import { ofText, type GoFunctions } from '../common/go-template/functions.ts';
import { parseTemplate } from '../common/go-template/template.ts';
import { isList, isMap, textOf, type Value } from '../common/go-template/values.ts';
import { UsageError } from './usage-error.ts';

type Cells = Readonly<Record<string, string>>;
/** Cells are what a single name means before it is looked up in the value. */
type Render = (value: unknown, cells?: Cells) => string;

const FUNCTIONS: GoFunctions = {
  json: { least: 1, most: 1, call: ([value]) => JSON.stringify(value ?? null) },
  join: {
    least: 2,
    most: 2,
    call: ([list, separator]) => (isList(list) ? list : []).map(textOf).join(textOf(separator)),
  },
  split: { least: 2, most: 2, call: ([text, separator]) => textOf(text).split(textOf(separator)) },
  lower: ofText((text) => text.toLowerCase()),
  upper: ofText((text) => text.toUpperCase()),
  title: ofText((text) => text.replace(/(^|\s)(\p{L})/gu, (found) => found.toUpperCase())),
  truncate: { least: 2, most: 2, call: ([text, length]) => textOf(text).slice(0, Number(length)) },
  pad: {
    least: 3,
    most: 3,
    call: ([text, before, after]) => ' '.repeat(Number(before)) + textOf(text) + ' '.repeat(Number(after)),
  },
};

/** Compiles a template. Throws a UsageError saying what cannot be understood; so does filling it in. */
export function compileTemplate(text: string): Render {
  const unescaped = text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  let cellsNow: Cells = {};
  const find = (value: Value, name: string, isWhole: boolean): Value =>
    (isWhole ? fieldOf(cellsNow, name) : undefined) ?? fieldOf(value, name);
  const template = usable(text, () => parseTemplate(unescaped, { name: 'format', functions: FUNCTIONS, find }));
  return (value, cells = {}) => {
    cellsNow = cells;
    return usable(text, () => template.expand(value as Value));
  };
}

/** Field names of a template, for the header of "table" formats: {{.CurrentState}} stands under CURRENT STATE. */
export const templateHeader = (text: string): string =>
  text
    .replaceAll('\\t', '\t')
    .replace(/\{\{[^}]*?\.?([\w.]*)[^\w}]*\}\}/g, (_, path: string) =>
      (path.split('.').at(-1) ?? '').replace(/([a-z])([A-Z])/g, '$1 $2').toUpperCase(),
    );

/** Own fields only, ignoring case, so that .Id finds ID. */
function fieldOf(value: Value, name: string): Value {
  if (!isMap(value)) return undefined;
  const keys = Object.keys(value);
  const key = keys.find((k) => k === name) ?? keys.find((k) => k.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : value[key];
}

function usable<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    throw new UsageError(`--format ${JSON.stringify(text)}: ${error.message}`);
  }
}

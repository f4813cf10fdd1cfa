/**
 * Variables in a compose file: $NAME, ${NAME}, ${NAME:-default}, ${NAME:?complaint}, ${NAME:+instead}; without the colon an
 * empty value counts as set. $$ is a dollar. Defaults may hold variables again.
 */
import type { Field } from './field.ts';

export type Variables = (name: string) => string | undefined;

/** Puts values in the place of variables everywhere below a field; `onUnset` hears of each that has neither value nor default. */
export function interpolate(field: Field, variables: Variables, onUnset: (name: string) => void): unknown {
  if (typeof field.value === 'string') return filled(field.value, field, variables, onUnset);
  if (field.isList) return field.items().map((item) => interpolate(item, variables, onUnset));
  if (!field.isMap) return field.value;
  return Object.fromEntries(
    field.entries().map(([key, inner]) => [key, interpolate(inner, variables, onUnset)] as const),
  );
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

function filled(text: string, field: Field, variables: Variables, onUnset: (name: string) => void): string {
  let result = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return result + text.slice(at);
    result += text.slice(at, dollar);
    const rest = text.slice(dollar + 1);
    if (rest.startsWith('$')) {
      result += '$';
      at = dollar + 2;
    } else if (rest.startsWith('{')) {
      const end = closing(rest);
      if (end < 0) throw malformed(field, text);
      result += braced(rest.slice(1, end), text, field, variables, onUnset);
      at = dollar + 1 + end + 1;
    } else {
      const name = NAME.exec(rest)?.[0];
      if (name === undefined) throw malformed(field, text);
      result += valueOf(name, variables, onUnset);
      at = dollar + 1 + name.length;
    }
  }
}

/** Where the brace ends that a text begins with; -1 when it does not. */
function closing(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{' && (i === 0 || text[i - 1] === '$')) depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  return -1;
}

function braced(
  inner: string,
  whole: string,
  field: Field,
  variables: Variables,
  onUnset: (name: string) => void,
): string {
  const name = NAME.exec(inner)?.[0];
  const parts = name === undefined ? undefined : /^(?:(:?)([-?+])([\s\S]*))?$/.exec(inner.slice(name.length));
  if (name === undefined || !parts) throw malformed(field, whole);
  const [, colon = '', operator, argument = ''] = parts;
  const value = variables(name);
  const isThere = value !== undefined && !(colon === ':' && value === '');
  const fill = (): string => filled(argument, field, variables, onUnset);
  switch (operator) {
    case '-':
      return isThere ? value : fill();
    case '+':
      return isThere ? fill() : '';
    case '?': {
      if (isThere) return value;
      const complaint = fill();
      throw field.wrong(
        `the variable ${name} is ${value === undefined ? 'not set' : 'empty'}${complaint === '' ? '' : `: ${complaint}`}`,
        `set ${name} in the environment`,
      );
    }
    default:
      return valueOf(name, variables, onUnset);
  }
}

function valueOf(name: string, variables: Variables, onUnset: (name: string) => void): string {
  const value = variables(name);
  if (value === undefined) onUnset(name);
  return value ?? '';
}

const malformed = (field: Field, text: string): Error =>
  field.wrong(
    `"${text}" holds a variable that cannot be read`,
    'write ${NAME} or ${NAME:-default}, and $$ for a dollar',
  );

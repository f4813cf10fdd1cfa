/** Go's fmt.Sprintf for the kinds of values a template has, with its remarks about wrong arguments. */
import { isMap, sortedKeys, textOf, typeNameOf, type Value } from './values.ts';

const VERB = /%([-+# 0]*)(\d*)(?:\.(\d*))?(.)/gsu;

export function sprintf(format: string, values: readonly Value[]): string {
  let next = 0;
  const text = format.replace(
    VERB,
    (_all, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const value = values[next++];
      const shown = formatted(verb, value, flags, precision === undefined ? undefined : Number(precision || 0));
      return padded(shown ?? `%!${verb}(${typeNameOf(value)}=${textOf(value)})`, flags, Number(width), verb);
    },
  );
  const extra = values.slice(next).map((value) => `${typeNameOf(value)}=${textOf(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

/** Undefined when the verb does not go with the value. */
function formatted(verb: string, value: Value, flags: string, precision: number | undefined): string | undefined {
  if (verb === 'v') return flags.includes('#') ? sourceOfValue(value) : textOf(value);
  if (verb === 'T') return typeNameOf(value);
  if (verb === 't') return typeof value === 'boolean' ? String(value) : undefined;
  if (typeof value === 'string') return formattedString(verb, value, precision);
  if (typeof value === 'number') return formattedNumber(verb, value, flags, precision);
  return undefined;
}

function formattedString(verb: string, value: string, precision: number | undefined): string | undefined {
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join('');
  switch (verb) {
    case 's':
      return cut;
    case 'q':
      return JSON.stringify(cut);
    case 'x':
    case 'X': {
      const hex = Buffer.from(cut).toString('hex');
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
    default:
      return undefined;
  }
}

function formattedNumber(
  verb: string,
  value: number,
  flags: string,
  precision: number | undefined,
): string | undefined {
  const plus = flags.includes('+') && value >= 0 ? '+' : '';
  if (Number.isInteger(value)) {
    const radix = { d: 10, x: 16, X: 16, o: 8, b: 2 }[verb];
    if (radix !== undefined) {
      const digits = plus + value.toString(radix);
      return verb === 'X' ? digits.toUpperCase() : digits;
    }
    if (verb === 'c' || verb === 'q') {
      const character = String.fromCodePoint(value);
      return verb === 'c' ? character : `'${character}'`;
    }
    if (verb === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    return undefined;
  }
  if (verb === 'f' || verb === 'F') return plus + value.toFixed(precision ?? 6);
  if (verb === 'g')
    return plus + (precision === undefined ? String(value) : String(Number(value.toPrecision(precision || 1))));
  if (verb === 'e') return plus + value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
  return undefined;
}

function padded(text: string, flags: string, width: number, verb: string): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || verb === 's' || verb === 'q') return ' '.repeat(missing) + text;
  const [sign = ''] = /^[+-]?/.exec(text) ?? [];
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function sourceOfValue(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (!isMap(value)) return textOf(value);
  const pairs = sortedKeys(value).map((key) => `${JSON.stringify(key)}:${sourceOfValue(value[key])}`);
  return `${typeNameOf(value)}{${pairs.join(', ')}}`;
}

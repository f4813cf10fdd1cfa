/**
 * Docker's service templates: the part of Go's text/template that its users write in hostnames, environment, mounts,
 * secrets and configs. `{{.Service.Name}}`, `{{.Task.Slot}}`, `{{.Node.Hostname}}`, `{{index .Service.Labels "x"}}`,
 * `{{secret "name"}}`, `{{config "name"}}`, `{{env "NAME"}}`, plus `print`, `printf`, `lower`, `upper`, `len`, pipes and parentheses.
 */
import { SwarmError } from '../common/errors.ts';

/** What a template can name, as nested objects with the Go field names. */
export interface TemplateContext {
  readonly Service: { readonly ID: string; readonly Name: string; readonly Labels: Readonly<Record<string, string>> };
  readonly Node: {
    readonly ID: string;
    readonly Hostname: string;
    readonly Platform: { readonly Architecture: string; readonly OS: string };
  };
  readonly Task: { readonly ID: string; readonly Name: string; readonly Slot: string };
}

/** Functions of one argument beyond the built-in ones, for example `secret` while a config is made. Throw SwarmError to refuse. */
export type TemplateFunctions = Readonly<Record<string, (argument: string) => string>>;

type Value = string | number | { readonly [name: string]: Value };

/**
 * Expands a template. Throws invalidArgument naming the template and what is wrong with it: unknown fields and functions
 * are refused, as Docker does; a missing label gives the empty string.
 */
export function expandTemplate(text: string, context: TemplateContext, functions: TemplateFunctions = {}): string {
  if (!text.includes('{{')) return text;
  let out = '';
  let rest = text;
  for (;;) {
    const open = rest.indexOf('{{');
    if (open < 0) return out + rest;
    const close = endOfAction(rest, open + 2);
    if (close < 0) throw refuse(text, 'a "{{" is not closed by "}}"');
    let before = rest.slice(0, open);
    let action = rest.slice(open + 2, close);
    rest = rest.slice(close + 2);
    if (/^-\s/.test(action)) {
      before = before.trimEnd();
      action = action.slice(1);
    }
    if (/\s-$/.test(action)) {
      action = action.slice(0, -1);
      rest = rest.trimStart();
    }
    out += before + evaluate(action.trim(), { text, context: context as unknown as Value, functions });
  }
}

interface Scope {
  readonly text: string;
  readonly context: Value;
  readonly functions: TemplateFunctions;
}

/** Index of the "}}" that ends the action, skipping quoted text. */
function endOfAction(text: string, from: number): number {
  let quote = '';
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (quote !== '') {
      if (c === '\\' && quote === '"') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === '`') quote = c;
    else if (c === '}' && text[i + 1] === '}') return i;
  }
  return -1;
}

function evaluate(action: string, scope: Scope): string {
  if (action === '') throw refuse(scope.text, 'an action "{{}}" is empty');
  if (action.startsWith('/*') && action.endsWith('*/')) return '';
  const parser = new Parser(tokensOf(action, scope), scope);
  const value = parser.pipeline();
  parser.expectEnd();
  return asText(value, scope);
}

type Token =
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly value: string }
  | { readonly kind: 'sign'; readonly value: '|' | '(' | ')' };

const TOKEN =
  /\s*(?:(\.[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*|\.)|"((?:[^"\\]|\\.)*)"|`([^`]*)`|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*)|([|()]))/y;

function tokensOf(action: string, scope: Scope): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < action.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(action);
    if (!match) {
      if (action.slice(at).trim() === '') break;
      throw refuse(scope.text, `"${action.slice(at).trim()}" is not understood`);
    }
    const [, field, quoted, raw, number, name, sign] = match;
    if (field !== undefined) tokens.push({ kind: 'field', path: field.split('.').filter((part) => part !== '') });
    else if (quoted !== undefined) tokens.push({ kind: 'text', value: unquote(quoted, scope) });
    else if (raw !== undefined) tokens.push({ kind: 'text', value: raw });
    else if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) });
    else if (name !== undefined) tokens.push({ kind: 'name', value: name });
    else tokens.push({ kind: 'sign', value: sign as '|' });
  }
  return tokens;
}

function unquote(text: string, scope: Scope): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    throw refuse(scope.text, `"${text}" is not a quoted string`);
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #scope: Scope;
  #at = 0;

  constructor(tokens: readonly Token[], scope: Scope) {
    this.#tokens = tokens;
    this.#scope = scope;
  }

  /** command ('|' command)*: each value becomes the last argument of the next command. */
  pipeline(): Value {
    let value = this.#command(undefined);
    while (this.#takeSign('|')) value = this.#command(value);
    return value;
  }

  expectEnd(): void {
    if (this.#at < this.#tokens.length) throw refuse(this.#scope.text, 'there is something left over in an action');
  }

  #command(piped: Value | undefined): Value {
    const first = this.#tokens[this.#at];
    if (first?.kind !== 'name') {
      if (piped !== undefined) throw refuse(this.#scope.text, 'only a function can follow "|"');
      return this.#operand();
    }
    this.#at++;
    const args: Value[] = [];
    while (this.#startsOperand()) args.push(this.#operand());
    if (piped !== undefined) args.push(piped);
    return callFunction(first.value, args, this.#scope);
  }

  #startsOperand(): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && (token.kind !== 'sign' || token.value === '(');
  }

  #operand(): Value {
    const token = this.#tokens[this.#at++];
    if (token?.kind === 'field') return fieldOf(token.path, this.#scope);
    if (token?.kind === 'text' || token?.kind === 'number') return token.value;
    if (token?.kind === 'name') return callFunction(token.value, [], this.#scope);
    if (token?.kind === 'sign' && token.value === '(') {
      const value = this.pipeline();
      if (!this.#takeSign(')')) throw refuse(this.#scope.text, 'a "(" is not closed');
      return value;
    }
    throw refuse(this.#scope.text, 'a value is missing in an action');
  }

  #takeSign(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.value !== sign) return false;
    this.#at++;
    return true;
  }
}

function fieldOf(path: readonly string[], scope: Scope): Value {
  let value = scope.context;
  path.forEach((name, depth) => {
    const owner = path.slice(0, depth).join('.');
    if (typeof value !== 'object') throw refuse(scope.text, `.${owner} has no field ${name}`);
    const next = Object.hasOwn(value, name) ? value[name] : undefined;
    if (next !== undefined) value = next;
    // Labels are a map: in Go a missing key of a map of strings is the empty string, a missing field is an error.
    else if (owner === 'Service.Labels') value = '';
    else throw refuse(scope.text, `there is no .${path.slice(0, depth + 1).join('.')}`);
  });
  return value;
}

function callFunction(name: string, args: readonly Value[], scope: Scope): Value {
  const own = scope.functions[name];
  if (own) return own(asText(only(args, name, scope), scope));
  switch (name) {
    case 'index': {
      let value = args[0];
      for (const key of args.slice(1)) {
        if (typeof value !== 'object') throw refuse(scope.text, 'index needs a map, for example .Service.Labels');
        const text = asText(key, scope);
        value = Object.hasOwn(value, text) ? value[text] : '';
      }
      return value ?? '';
    }
    case 'printf':
      return format(args, scope);
    case 'print':
      return args.map((value) => asText(value, scope)).join('');
    case 'lower':
      return asText(only(args, name, scope), scope).toLowerCase();
    case 'upper':
      return asText(only(args, name, scope), scope).toUpperCase();
    case 'len': {
      const value = only(args, name, scope);
      return typeof value === 'object' ? Object.keys(value).length : asText(value, scope).length;
    }
    default:
      throw refuse(scope.text, `function "${name}" not defined`);
  }
}

function only(args: readonly Value[], name: string, scope: Scope): Value {
  const [value] = args;
  if (value === undefined || args.length !== 1) throw refuse(scope.text, `${name} takes one argument`);
  return value;
}

/** The verbs %s %v %d %q and %%. */
function format(args: readonly Value[], scope: Scope): string {
  const [pattern = '', ...values] = args;
  let next = 0;
  return asText(pattern, scope).replace(/%([svdq%])/g, (_all, verb: string) => {
    if (verb === '%') return '%';
    const value = values[next++];
    if (value === undefined) throw refuse(scope.text, 'printf has fewer arguments than its format needs');
    return verb === 'q' ? JSON.stringify(asText(value, scope)) : asText(value, scope);
  });
}

function asText(value: Value | undefined, scope: Scope): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (value === undefined) throw refuse(scope.text, 'a value is missing in an action');
  // As Go prints a map: map[a:1 b:2], keys sorted.
  const entries = Object.keys(value).sort();
  return `map[${entries.map((key) => `${key}:${asText(value[key], scope)}`).join(' ')}]`;
}

const refuse = (text: string, what: string): SwarmError =>
  new SwarmError('invalidArgument', `expanding template ${JSON.stringify(text)}: ${what}`);

/** Nodes and data to text, as Go's text/template executes them. */
import type { GoFunctions } from './functions.ts';
import {
  sourceOf,
  sourceOfCommand,
  sourceOfPipeline,
  type Branch,
  type Command,
  type Inclusion,
  type Node,
  type Operand,
  type Pipeline,
} from './nodes.ts';
import type { Parsed } from './parser.ts';
import { GoStruct, isList, isMap, isTrue, sortedKeys, textOf, typeNameOf, type Value } from './values.ts';

/** What templates of one place may use, and how they look names up. */
export interface Dialect {
  /** As errors call it. */
  readonly name: string;
  readonly functions: GoFunctions;
  /** A name that a map does not have: an error, or no value (the default). */
  readonly missingKey?: 'error' | 'no value';
  /** Finds a name that a value has in another form; `isWhole`: it is all that is asked of the data of the template. */
  readonly find?: (value: Value, name: string, isWhole: boolean) => Value;
}

/** Stands for the value from the stage before when there is none. */
const NOTHING = Symbol('nothing');
type Piped = Value | typeof NOTHING;
type Loop = 'break' | 'continue';

const MAX_DEPTH = 1000;
/** A few lines that include one another can ask for any amount of work; nobody's template needs this much. */
const MAX_STEPS = 1_000_000;

/** @throws Error with the place and what is wrong, in Go's words */
export function evaluate(text: string, parsed: Parsed, data: Value, dialect: Dialect): string {
  const run = new Evaluator(text, parsed, data, dialect);
  run.walk(parsed.nodes, data);
  return run.output;
}

class Evaluator {
  output = '';
  readonly #text: string;
  readonly #parsed: Parsed;
  readonly #dialect: Dialect;
  readonly #root: Value;
  #variables: { readonly name: string; value: Value }[];
  #depth = 0;
  #steps = 0;

  constructor(text: string, parsed: Parsed, data: Value, dialect: Dialect) {
    this.#text = text;
    this.#parsed = parsed;
    this.#dialect = dialect;
    this.#root = data;
    this.#variables = [{ name: '$', value: data }];
  }

  walk(nodes: readonly Node[], dot: Value): Loop | undefined {
    for (const node of nodes) {
      if (++this.#steps > MAX_STEPS)
        throw new Error(`${this.#dialect.name}: the template does more than ${MAX_STEPS} steps`);
      const left = this.#node(node, dot);
      if (left) return left;
    }
    return undefined;
  }

  #node(node: Node, dot: Value): Loop | undefined {
    switch (node.kind) {
      case 'text':
        this.output += node.text;
        return undefined;
      case 'action': {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.output += textOf(value);
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'template':
        return this.#include(node, dot);
      case 'range':
        return this.#scoped(() => this.#range(node, dot));
      default:
        return this.#scoped(() => {
          const value = this.#pipeline(node.pipeline, dot);
          if (!isTrue(value)) return this.walk(node.otherwise, dot);
          return this.walk(node.body, node.kind === 'with' ? value : dot);
        });
    }
  }

  #range({ pipeline, body, otherwise }: Branch, dot: Value): Loop | undefined {
    const list = this.#pipeline({ ...pipeline, variables: [] }, dot);
    const items = this.#itemsOf(list, pipeline);
    for (const [key, value] of items) {
      const left = this.#scoped(() => {
        const [first, second] = pipeline.variables;
        const set = (name: string, to: Value): void =>
          pipeline.isAssignment ? this.#assign(name, to) : void this.#variables.push({ name, value: to });
        if (first !== undefined) set(first, second === undefined ? value : key);
        if (second !== undefined) set(second, value);
        return this.walk(body, value);
      });
      if (left === 'break') break;
    }
    return items.length === 0 ? this.walk(otherwise, dot) : undefined;
  }

  #itemsOf(value: Value, pipeline: Pipeline): readonly (readonly [Value, Value])[] {
    if (isList(value)) return value.map((v, i) => [i, v]);
    if (isMap(value)) return sortedKeys(value).map((key) => [key, value[key]]);
    if (value === undefined || value === null) return [];
    throw this.#error(
      pipeline.commands[0]?.words[0],
      sourceOfPipeline(pipeline),
      `range can't iterate over ${textOf(value)}`,
    );
  }

  #include({ at, name, pipeline }: Inclusion, dot: Value): undefined {
    const nodes = this.#parsed.defined.get(name);
    const source = `{{template ${JSON.stringify(name)}${pipeline ? ` ${sourceOfPipeline(pipeline)}` : ''}}}`;
    if (!nodes) throw this.#error({ at }, source, `template ${JSON.stringify(name)} not defined`);
    if (this.#depth >= MAX_DEPTH) throw this.#error({ at }, source, 'exceeded maximum template depth');
    const value = pipeline ? this.#pipeline(pipeline, dot) : undefined;
    const outer = this.#variables;
    this.#variables = [{ name: '$', value }];
    this.#depth++;
    this.walk(nodes, value);
    this.#depth--;
    this.#variables = outer;
    return undefined;
  }

  #scoped<T>(work: () => T): T {
    const height = this.#variables.length;
    const result = work();
    this.#variables.length = height;
    return result;
  }

  #pipeline({ variables, isAssignment, commands }: Pipeline, dot: Value): Value {
    let value: Piped = NOTHING;
    for (const command of commands) value = this.#command(command, dot, value);
    const result = value === NOTHING ? undefined : value;
    for (const name of variables) {
      if (isAssignment) this.#assign(name, result);
      else this.#variables.push({ name, value: result });
    }
    return result;
  }

  #command(command: Command, dot: Value, piped: Piped): Value {
    const [first, ...rest] = command.words;
    const hasArguments = rest.length > 0 || piped !== NOTHING;
    if (first.kind === 'function') return this.#call(first, rest, dot, piped, sourceOfCommand(command));
    if ((first.kind === 'field' || first.kind === 'variable') && first.names.length > 0 && hasArguments) {
      const name = first.names.at(-1) as string;
      this.#operand(first, dot);
      throw this.#error(first, sourceOf(first), `${name} has arguments but cannot be invoked as function`);
    }
    if (hasArguments)
      throw this.#error(first, sourceOf(first), `can't give argument to non-function ${sourceOf(first)}`);
    if (first.kind === 'nil') throw this.#error(first, 'nil', 'nil is not a command');
    return this.#operand(first, dot);
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return operand.value;
      case 'field':
        return this.#fields(dot, operand.names, operand);
      case 'variable':
        return this.#fields(this.#variable(operand.name)?.value, operand.names, operand);
      case 'pipeline':
        return this.#fields(this.#pipeline(operand.pipeline, dot), operand.names, operand);
      case 'function':
        return this.#call(operand, [], dot, NOTHING, operand.name);
    }
  }

  #call(
    operand: Extract<Operand, { kind: 'function' }>,
    given: readonly Operand[],
    dot: Value,
    piped: Piped,
    source: string,
  ): Value {
    const { name } = operand;
    const count = given.length + (piped === NOTHING ? 0 : 1);
    const isLogic = name === 'and' || name === 'or';
    const { least, most } = isLogic ? { least: 1 } : (this.#dialect.functions[name] ?? { least: 0 });
    if (count < least || (most !== undefined && count > most)) {
      const wanted = most === least ? String(least) : `at least ${least}`;
      throw this.#error(operand, name, `wrong number of args for ${name}: want ${wanted} got ${count}`);
    }
    const argument = (i: number): Value => {
      const word = given[i];
      return word === undefined ? (piped as Value) : this.#operand(word, dot);
    };
    if (isLogic) {
      let value = argument(0);
      for (let i = 1; i < count && isTrue(value) === (name === 'and'); i++) value = argument(i);
      return value;
    }
    const args = Array.from({ length: count }, (_, i) => argument(i));
    try {
      return this.#dialect.functions[name]?.call(args);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw this.#error(operand, source, `error calling ${name}: ${why}`, error);
    }
  }

  #fields(from: Value, names: readonly string[], operand: Operand): Value {
    return names.reduce<Value>((value, name) => this.#field(value, name, operand), from);
  }

  #field(value: Value, name: string, operand: Operand): Value {
    const isWhole = value === this.#root && 'names' in operand && operand.names.length === 1;
    const found = this.#dialect.find?.(value, name, isWhole);
    if (found !== undefined) return found;
    const fail = (what: string): Error => this.#error(operand, sourceOf(operand), what);
    if (value instanceof GoStruct) {
      if (Object.hasOwn(value.fields, name)) return value.fields[name];
    } else if (isMap(value)) {
      if (Object.hasOwn(value, name)) return value[name];
      if (this.#dialect.missingKey === 'error') throw fail(`map has no entry for key ${JSON.stringify(name)}`);
      return undefined;
    } else if (value === undefined || value === null) {
      if (this.#dialect.missingKey !== 'error') return undefined;
      throw fail(`nil data; no entry for key ${JSON.stringify(name)}`);
    }
    throw fail(`can't evaluate field ${name} in type ${typeNameOf(value)}`);
  }

  #variable(name: string): { readonly name: string; value: Value } | undefined {
    return this.#variables.findLast((variable) => variable.name === name);
  }

  #assign(name: string, value: Value): void {
    const variable = this.#variable(name);
    if (variable) variable.value = value;
  }

  #error(place: { readonly at: number } | undefined, source: string, what: string, cause?: unknown): Error {
    const before = this.#text.slice(0, place?.at ?? 0);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    const { name } = this.#dialect;
    return new Error(`${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${source}>: ${what}`, { cause });
  }
}

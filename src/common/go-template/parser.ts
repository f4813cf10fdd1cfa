/** Tokens to nodes, as Go's text/template/parse does it: unknown functions and variables are found here. */
import { tokensOf, type Token } from './lexer.ts';
import { sourceOf, type Command, type Node, type Operand, type Pipeline } from './nodes.ts';
import { unquoteCharacter, unquoteString } from './unquote.ts';

export interface Parsed {
  readonly nodes: readonly Node[];
  /** Templates made by `define` and `block`. */
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

const OPERANDS = new Set('boolean character dot field identifier number nil raw string variable left'.split(' '));

/** @throws SyntaxError with the line and what is wrong, as in `1: unclosed action` */
export function parse(text: string, isFunction: (name: string) => boolean): Parsed {
  return new Parser(text, isFunction).parse();
}

type Ending = 'end' | 'else' | 'text end';

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #isFunction: (name: string) => boolean;
  readonly #defined = new Map<string, readonly Node[]>();
  #variables: string[] = ['$'];
  #at = 0;
  #rangeDepth = 0;

  constructor(text: string, isFunction: (name: string) => boolean) {
    this.#text = text;
    this.#tokens = tokensOf(text);
    this.#isFunction = isFunction;
  }

  parse(): Parsed {
    const { nodes, ending } = this.#list();
    if (ending !== 'text end') throw this.#error(`unexpected {{${ending}}}`);
    return { nodes, defined: this.#defined };
  }

  /** Up to {{end}}, {{else}} or the end of the text. */
  #list(): { readonly nodes: readonly Node[]; readonly ending: Ending } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === 'end') return { nodes, ending: 'text end' };
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      if (token.kind !== 'open') throw this.#unexpected(token, 'input');
      const word = this.#peekPastSpace();
      if (word.kind === 'keyword' && (word.text === 'end' || word.text === 'else')) {
        this.#next();
        if (word.text === 'end') this.#expectClose('end');
        return { nodes, ending: word.text };
      }
      const node = word.kind === 'keyword' ? this.#control(this.#next()) : this.#action();
      if (node) nodes.push(node);
    }
  }

  #action(): Node {
    return { kind: 'action', pipeline: this.#pipeline('command', 'close') };
  }

  #control(word: Token): Node | undefined {
    switch (word.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(word.text);
      case 'break':
      case 'continue':
        this.#expectClose(`{{${word.text}}}`);
        if (this.#rangeDepth === 0) throw this.#error(`{{${word.text}}} outside {{range}}`);
        return { kind: word.text };
      case 'template': {
        const { name, at } = this.#name('template clause');
        const pipeline =
          this.#peekPastSpace().kind === 'close' ? undefined : this.#pipeline('template clause', 'close');
        if (!pipeline) this.#expectClose('template clause');
        return { kind: 'template', at, name, pipeline };
      }
      case 'define': {
        const { name } = this.#name('define clause');
        this.#expectClose('define clause');
        this.#define(name);
        return undefined;
      }
      default: {
        const { name, at } = this.#name('block clause');
        const pipeline = this.#pipeline('block clause', 'close');
        this.#define(name);
        return { kind: 'template', at, name, pipeline };
      }
    }
  }

  #branch(kind: 'if' | 'with' | 'range'): Node {
    const outer = [...this.#variables];
    const pipeline = this.#pipeline(kind, 'close');
    if (kind === 'range') this.#rangeDepth++;
    const body = this.#list();
    if (kind === 'range') this.#rangeDepth--;
    let otherwise: readonly Node[] = [];
    if (body.ending === 'else') {
      const word = this.#peekPastSpace();
      if (word.kind === 'keyword' && word.text === kind && kind !== 'range') {
        // {{else if}}: a branch of its own, which takes the {{end}}.
        this.#next();
        otherwise = [this.#branch(kind)];
      } else {
        this.#expectClose('else');
        const rest = this.#list();
        if (rest.ending === 'else') throw this.#error('expected end; found {{else}}');
        if (rest.ending === 'text end') throw this.#error('unexpected EOF');
        otherwise = rest.nodes;
      }
    } else if (body.ending === 'text end') throw this.#error('unexpected EOF');
    this.#variables = outer;
    return { kind, pipeline, body: body.nodes, otherwise };
  }

  #define(name: string): void {
    const [outer, rangeDepth] = [this.#variables, this.#rangeDepth];
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const { nodes, ending } = this.#list();
    if (ending === 'text end') throw this.#error('unexpected EOF');
    if (ending === 'else') throw this.#error('unexpected {{else}} in define clause');
    this.#variables = outer;
    this.#rangeDepth = rangeDepth;
    this.#defined.set(name, nodes);
  }

  #name(where: string): { readonly name: string; readonly at: number } {
    const token = this.#nextPastSpace();
    if (token.kind !== 'string' && token.kind !== 'raw') throw this.#unexpected(token, where);
    return { name: this.#textOf(token), at: token.at };
  }

  #pipeline(where: string, end: 'close' | 'right'): Pipeline {
    const at = this.#peekPastSpace().at;
    const { variables, isAssignment } = this.#targets(where);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#peekPastSpace();
      if (token.kind === end) {
        this.#next();
        if (commands.length === 0) throw this.#error(`missing value for ${where}`);
        this.#variables.push(...(isAssignment ? [] : variables));
        this.#checkStages(commands);
        return { at, variables, isAssignment, commands };
      }
      if (!OPERANDS.has(token.kind)) throw this.#unexpected(this.#next(), where);
      commands.push(this.#command());
    }
  }

  /** `$x :=`, `$x =`, and for range `$i, $x :=`. */
  #targets(where: string): { readonly variables: readonly string[]; readonly isAssignment: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    while (this.#peekPastSpace().kind === 'variable') {
      variables.push(this.#next().text);
      const sign = this.#nextPastSpace();
      if (sign.kind === 'declare') return { variables, isAssignment: false };
      if (sign.kind === 'assign') {
        for (const name of variables) this.#requireVariable(name);
        return { variables, isAssignment: true };
      }
      if (sign.kind !== 'other' || sign.text !== ',' || where !== 'range' || variables.length > 1) break;
    }
    this.#at = start;
    return { variables: [], isAssignment: false };
  }

  #checkStages(commands: readonly Command[]): void {
    commands.slice(1).forEach(({ words: [first] }, stage) => {
      if (first.kind === 'literal' || first.kind === 'dot' || first.kind === 'nil') {
        throw this.#error(`non executable command in pipeline stage ${stage + 2}`);
      }
    });
  }

  #command(): Command {
    const at = this.#peekPastSpace().at;
    const words: Operand[] = [];
    for (;;) {
      this.#peekPastSpace();
      const operand = this.#operand();
      if (operand) words.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'close' || token.kind === 'right') this.#at--;
      else if (token.kind !== 'pipe') throw this.#unexpected(token, 'operand');
      const [first, ...rest] = words;
      if (!first) throw this.#error('empty command');
      return { at, words: [first, ...rest] };
    }
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    const after = this.#peek();
    if (!term || after.kind !== 'field') return term;
    const names: string[] = [];
    while (this.#peek().kind === 'field') names.push(this.#next().text.slice(1));
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { ...term, at: after.at, names: [...term.names, ...names] };
      case 'pipeline':
        return { ...term, at: after.at, names };
      case 'function':
        return { kind: 'pipeline', at: after.at, pipeline: alone(term), names };
      default:
        throw this.#error(`unexpected . after term ${JSON.stringify(sourceOf(term))}`);
    }
  }

  #term(): Operand | undefined {
    const token = this.#next();
    const { at, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#isFunction(text)) throw this.#error(`function ${JSON.stringify(text)} not defined`);
        return { kind: 'function', at, name: text };
      case 'dot':
        return { kind: 'dot', at };
      case 'nil':
        return { kind: 'nil', at };
      case 'variable':
        this.#requireVariable(text);
        return { kind: 'variable', at, name: text, names: [] };
      case 'field':
        return { kind: 'field', at, names: [text.slice(1)] };
      case 'boolean':
        return { kind: 'literal', at, value: text === 'true', source: text };
      case 'number':
        return { kind: 'literal', at, value: numberOf(text), source: text };
      case 'character':
        return { kind: 'literal', at, value: this.#valid(unquoteCharacter(text)), source: text };
      case 'string':
      case 'raw':
        return { kind: 'literal', at, value: this.#textOf(token), source: text };
      case 'left':
        return { kind: 'pipeline', at, pipeline: this.#pipeline('parenthesized pipeline', 'right'), names: [] };
      case 'error':
        throw this.#error(text);
      default:
        this.#at--;
        return undefined;
    }
  }

  #textOf(token: Token): string {
    return token.kind === 'raw' ? token.text.slice(1, -1) : this.#valid(unquoteString(token.text));
  }

  #valid<T>(value: T | undefined): T {
    if (value === undefined) throw this.#error('invalid syntax');
    return value;
  }

  #requireVariable(name: string): void {
    if (!this.#variables.includes(name)) throw this.#error(`undefined variable ${JSON.stringify(name)}`);
  }

  #expectClose(where: string): void {
    const token = this.#nextPastSpace();
    if (token.kind !== 'close') throw this.#unexpected(token, where);
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #peekPastSpace(): Token {
    while (this.#peek().kind === 'space') this.#at++;
    return this.#peek();
  }

  #nextPastSpace(): Token {
    this.#peekPastSpace();
    return this.#next();
  }

  #unexpected(token: Token, where: string): SyntaxError {
    if (token.kind === 'error') return this.#error(token.text);
    return this.#error(`unexpected ${shown(token)} in ${where}`);
  }

  #error(what: string): SyntaxError {
    const { at } = this.#tokens[Math.min(Math.max(0, this.#at - 1), this.#tokens.length - 1)] as Token;
    return new SyntaxError(`${this.#text.slice(0, at).split('\n').length}: ${what}`);
  }
}

const alone = (operand: Operand): Pipeline => ({
  at: operand.at,
  variables: [],
  isAssignment: false,
  commands: [{ at: operand.at, words: [operand] }],
});

function shown({ kind, text }: Token): string {
  if (kind === 'end') return 'EOF';
  if (['keyword', 'dot', 'nil'].includes(kind)) return `<${text}>`;
  return text.length > 10 ? `${JSON.stringify(text.slice(0, 10))}...` : JSON.stringify(text);
}

function numberOf(text: string): number {
  const plain = text.replaceAll('_', '');
  const [, sign, digits = ''] = /^([+-]?)(.*)$/.exec(plain) ?? [];
  return (sign === '-' ? -1 : 1) * Number(digits);
}

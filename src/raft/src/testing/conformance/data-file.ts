/** The file format shared by all conformance data: directives with arguments, input lines and the output they must produce. */

export interface Argument {
  readonly key: string;
  /** Empty for a bare argument. */
  readonly values: readonly string[];
}

export interface Directive {
  /** Line of the directive, from 1. */
  readonly line: number;
  readonly command: string;
  readonly args: readonly Argument[];
  /** Lines between the directive and its separator, trimmed. */
  readonly input: string;
  /** The exact output, with its final newline. */
  readonly expected: string;
}

const SEPARATOR = '----';

/** Splits a file into directives; throws an Error naming the line where the text makes no sense. */
export function parseDataFile(text: string): readonly Directive[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = at + 1;
    let head = (lines[at++] ?? '').trim();
    if (head.startsWith('#')) continue;
    while (head.endsWith('\\') && at < lines.length) {
      head = `${head.slice(0, -1).trimEnd()} ${(lines[at++] ?? '').trim()}`;
    }
    if (head === '') continue;
    const [command, args] = parseHead(head, line);
    const input: string[] = [];
    while (at < lines.length && lines[at] !== SEPARATOR) input.push(lines[at++] ?? '');
    if (at === lines.length) throw new Error(`line ${line}: no ${SEPARATOR} after "${head}"`);
    at++;
    const output: string[] = [];
    if (lines[at] === SEPARATOR) {
      // Blank lines are allowed here: the output ends at two separators.
      at++;
      while (at < lines.length && !(lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR))
        output.push(lines[at++] ?? '');
      if (at === lines.length) throw new Error(`line ${line}: the output does not end with two ${SEPARATOR} lines`);
      at += 2;
    } else {
      while (at < lines.length && (lines[at] ?? '').trim() !== '') output.push(lines[at++] ?? '');
    }
    const expected = output.map((each) => `${each}\n`).join('');
    directives.push({ line, command, args, input: input.join('\n').trim(), expected });
  }
  return directives;
}

/** Splits `command key key=value key=(v1, v2)`. */
function parseHead(head: string, line: number): readonly [string, readonly Argument[]] {
  const [command = ''] = /^\S+/.exec(head) ?? [];
  const args: Argument[] = [];
  let rest = head.slice(command.length).trim();
  while (rest !== '') {
    const [key = ''] = /^[^\s=]*/.exec(rest) ?? [];
    rest = rest.slice(key.length);
    if (!rest.startsWith('=')) {
      args.push({ key, values: [] });
    } else if (rest.startsWith('=(')) {
      const end = closingBracket(rest, 1);
      if (end < 0) throw new Error(`line ${line}: no closing bracket for ${key}`);
      args.push({ key, values: splitAtCommas(rest.slice(2, end)) });
      rest = rest.slice(end + 1);
    } else {
      const [value = ''] = /^\S*/.exec(rest.slice(1)) ?? [];
      args.push({ key, values: [value] });
      rest = rest.slice(1 + value.length);
    }
    if (rest !== '' && !/^\s/.test(rest)) throw new Error(`line ${line}: cannot read arguments at "${rest}"`);
    rest = rest.trimStart();
  }
  return [command, args];
}

function closingBracket(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return -1;
}

/** Only commas outside of brackets separate; blanks after one are dropped. */
function splitAtCommas(text: string): readonly string[] {
  if (text.trim() === '') return [];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const char = text[i];
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === undefined || (char === ',' && depth === 0)) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts;
}

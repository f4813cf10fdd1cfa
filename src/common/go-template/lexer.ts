/** Text to tokens, as the lexer of Go's text/template/parse cuts it. */

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'dot'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'string'
  | 'raw'
  | 'number'
  | 'character'
  | 'boolean'
  | 'nil'
  | 'pipe'
  | 'left'
  | 'right'
  | 'declare'
  | 'assign'
  | 'other'
  | 'end'
  | 'error';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of an error, what is wrong. */
  readonly text: string;
  /** Index of its first character. */
  readonly at: number;
}

const KEYWORDS = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);
const OPEN = /\{\{(-(?=\s))?/g;
const WORD = /[\p{L}\p{N}_]/u;
/** What may stand right after a field, a variable or a word. */
const TERMINATORS = /[\s.,|:()]|\}\}/y;
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /\s+/y],
  ['declare', /:=/y],
  ['assign', /=/y],
  ['pipe', /\|/y],
  ['raw', /`[^`]*`/y],
  ['string', /"(?:[^"\\\n]|\\.)*"/y],
  ['character', /'(?:[^'\\\n]|\\.)+'/y],
  ['number', /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['left', /\(/y],
  ['right', /\)/y],
];

/** The last token is `end`, or `error` with what Go would say. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    OPEN.lastIndex = at;
    const open = OPEN.exec(text);
    const before = text.slice(at, open?.index ?? text.length);
    const shown = open?.[1] ? before.trimEnd() : before;
    if (shown !== '') tokens.push({ kind: 'text', text: shown, at });
    if (!open) return [...tokens, { kind: 'end', text: '', at: text.length }];
    const after = readAction(text, open.index, open[0].length, tokens);
    if (after === undefined) return tokens;
    at = after;
  }
}

/** Reads one action; returns where text goes on, or undefined after an error. */
function readAction(text: string, start: number, openLength: number, tokens: Token[]): number | undefined {
  let at = start + openLength;
  const fail = (what: string): undefined => void tokens.push({ kind: 'error', text: what, at });
  const comment = /\s*\/\*/y;
  comment.lastIndex = at;
  if (comment.test(text)) {
    const end = text.indexOf('*/', at);
    if (end < 0) return fail('unclosed comment');
    const after = closeAt(text, end + 2);
    return after ?? fail('comment ends before closing delimiter');
  }
  tokens.push({ kind: 'open', text: '{{', at: start });
  for (let depth = 0; ;) {
    const after = closeAt(text, at);
    if (after !== undefined) {
      if (depth > 0) return fail('unclosed left paren');
      tokens.push({ kind: 'close', text: '}}', at });
      return after;
    }
    if (at >= text.length) return fail('unclosed action');
    const token = readToken(text, at);
    tokens.push(token);
    if (token.kind === 'error') return undefined;
    if (token.kind === 'left') depth++;
    if (token.kind === 'right') depth = Math.max(0, depth - 1);
    at += token.text.length;
  }
}

/** Where text goes on after a "}}" or " -}}" at this place. */
function closeAt(text: string, at: number): number | undefined {
  const trimming = /\s+-\}\}\s*/y;
  trimming.lastIndex = at;
  if (trimming.test(text)) return trimming.lastIndex;
  return text.startsWith('}}', at) ? at + 2 : undefined;
}

function readToken(text: string, at: number): Token {
  const error = (what: string): Token => ({ kind: 'error', text: what, at });
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    // The spaces before " -}}" belong to the delimiter.
    if (kind === 'space' && text.startsWith('-}}', at + found.length)) return { kind, text: found.slice(0, -1), at };
    if (kind === 'number' && WORD.test(text[at + found.length] ?? '')) {
      return error(`bad number syntax: ${JSON.stringify(found + text[at + found.length])}`);
    }
    if (kind === 'field' || kind === 'variable' || kind === 'identifier') {
      const unexpected = unexpectedAfter(text, at + found.length);
      if (unexpected !== undefined) return error(`bad character ${unexpected}`);
    }
    if (kind === 'identifier') return { kind: kindOfWord(found), text: found, at };
    return { kind, text: found, at };
  }
  const [character = ''] = text.slice(at, at + 2);
  if (character === '"') return error('unterminated quoted string');
  if (character === '`') return error('unterminated raw quoted string');
  if (character === "'") return error('unterminated character constant');
  if (character > ' ' && character <= '~') return { kind: 'other', text: character, at };
  return error(`unrecognized character in action: ${nameOf(character)}`);
}

function kindOfWord(word: string): TokenKind {
  if (KEYWORDS.has(word)) return 'keyword';
  if (word === 'true' || word === 'false') return 'boolean';
  return word === 'nil' ? 'nil' : 'identifier';
}

function unexpectedAfter(text: string, at: number): string | undefined {
  if (at >= text.length) return undefined;
  TERMINATORS.lastIndex = at;
  return TERMINATORS.test(text) ? undefined : nameOf(String.fromCodePoint(text.codePointAt(at) ?? 0));
}

const nameOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} '${character}'`;

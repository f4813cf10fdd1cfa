/** Quoted text of Go's source form to what it means (strconv.Unquote). */

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gs;

/** "…" with its quotes; undefined when an escape is not one of Go's. */
export const unquoteString = (quoted: string): string | undefined => unescaped(quoted.slice(1, -1), '"');

/** '…' with its quotes: the number of the character. */
export function unquoteCharacter(quoted: string): number | undefined {
  const [character, ...more] = unescaped(quoted.slice(1, -1), "'") ?? '';
  return more.length > 0 ? undefined : character?.codePointAt(0);
}

function unescaped(text: string, quote: string): string | undefined {
  let isValid = true;
  const plain = text.replace(ESCAPE, (_all, ...codes: readonly (string | undefined)[]) => {
    const [byte, short, long, octal, letter] = codes;
    const code = byte ?? short ?? long;
    if (code !== undefined && Number.parseInt(code, 16) <= 0x10ffff)
      return String.fromCodePoint(Number.parseInt(code, 16));
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    if (letter === quote) return quote;
    const simple = letter === undefined ? undefined : SIMPLE[letter];
    if (simple === undefined) isValid = false;
    return simple ?? '';
  });
  return isValid ? plain : undefined;
}

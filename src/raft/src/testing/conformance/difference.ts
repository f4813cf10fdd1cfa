/** Shows where two texts differ, line by line. */

const CONTEXT_LINES = 3;
const MAX_LINES = 60;

/** Common lines start with a blank, missing ones with `-`, unexpected ones with `+`. */
export function describeDifference(expected: string, actual: string): string {
  const wanted = toLines(expected);
  const got = toLines(actual);
  let start = 0;
  while (start < wanted.length && start < got.length && wanted[start] === got[start]) start++;
  let end = 0;
  while (
    end < wanted.length - start &&
    end < got.length - start &&
    wanted[wanted.length - 1 - end] === got[got.length - 1 - end]
  ) {
    end++;
  }
  const before = wanted.slice(Math.max(0, start - CONTEXT_LINES), start).map((line) => `  ${line}`);
  const missing = wanted.slice(start, wanted.length - end).map((line) => `- ${line}`);
  const unexpected = got.slice(start, got.length - end).map((line) => `+ ${line}`);
  const after = wanted
    .slice(wanted.length - end)
    .slice(0, CONTEXT_LINES)
    .map((line) => `  ${line}`);
  return [...before, ...cut(missing), ...cut(unexpected), ...after].join('\n');
}

function cut(lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `  (${lines.length - MAX_LINES} more lines)`];
}

function toLines(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

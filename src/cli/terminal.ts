/** What commands print to. Data goes to standard output, all else to standard error. */

/** What commands print to; tests collect it. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Somebody looks at standard error: progress may rewrite its line. */
  readonly isInteractive: boolean;
  /** Standard output is a screen of this many lines; undefined when it goes to a file or a program. */
  readonly screenLines: number | undefined;
  readonly hasColours: boolean;
  /** Asks for a yes; undefined when nobody is there to answer. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Asks for a line; undefined when nobody is there to answer. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** The first line of standard input when nobody is there to answer; empty at its end. */
  readonly line?: (() => Promise<string>) | undefined;
}

const STYLES = { bold: 1, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Style = keyof typeof STYLES;

export const paint = (style: Style | undefined, text: string): string =>
  style === undefined || text === '' ? text : `\u001b[${STYLES[style]}m${text}\u001b[0m`;

/** The terminal of this process; NO_COLOR turns colours off (https://no-color.org). */
export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY === true,
  get screenLines() {
    return process.stdout.isTTY === true ? process.stdout.rows : undefined;
  },
  hasColours: process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb',
  ...(process.stdin.isTTY === true && process.stderr.isTTY === true
    ? { ask, confirm: async (question) => isYes(await ask(`${question} [y/N] `)) }
    : { confirm: undefined, line: firstLine }),
};

export const isYes = (answer: string): boolean => /^y(es)?$/i.test(answer.trim());

async function firstLine(): Promise<string> {
  const { createInterface } = await import('node:readline');
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question);
  } finally {
    reader.close();
  }
}

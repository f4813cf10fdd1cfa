/** What a directive prints: its own lines and the log lines of the nodes, in the order they happen. */
import { LogLevel } from '../../../logger.ts';
import type { Logger } from '../../../logger.ts';
import { CommandError } from '../command-error.ts';

const LEVEL_NAMES = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'] as const;
const LEVELS: readonly LogLevel[] = Object.values(LogLevel);

export function parseLevel(text: string): LogLevel {
  const level = LEVELS[LEVEL_NAMES.findIndex((name) => name === text.toUpperCase())];
  if (level === undefined) throw new CommandError(`log levels must be either of [${LEVEL_NAMES.join(' ')}]`);
  return level;
}

export class Output implements Logger {
  level: LogLevel = LogLevel.Debug;
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** At level NONE nothing at all is printed. */
  get isQuiet(): boolean {
    return this.level === LogLevel.None;
  }

  clear(): void {
    this.#text = '';
  }

  print(text: string): void {
    if (!this.isQuiet) this.#text += text;
  }

  write(level: LogLevel, text: string): void {
    if (this.level <= level) this.print(`${LEVEL_NAMES[level]} ${text}\n`);
  }

  /** Indents every line that `work` prints by two blanks. */
  indented(work: () => void): void {
    const before = this.#text;
    this.#text = '';
    try {
      work();
    } finally {
      const lines = this.#text.split('\n');
      if (lines.at(-1) === '') lines.pop();
      this.#text = before + lines.map((line) => `  ${line}\n`).join('');
    }
  }
}

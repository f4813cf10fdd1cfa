/** Where the state machine tells what it does. Text is built only for levels that are enabled. */

export const LogLevel = { Debug: 0, Info: 1, Warn: 2, Error: 3, Fatal: 4, None: 5 } as const;
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

export interface Logger {
  /** Lines below this level are neither built nor written; may change at any time. */
  readonly level: LogLevel;
  write(level: LogLevel, text: string): void;
}

/** Says nothing. */
export const silentLogger: Logger = {
  level: LogLevel.None,
  write() {
    // Nothing is ever enabled.
  },
};

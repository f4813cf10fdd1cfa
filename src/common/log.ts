/** Structured logs. Each room gets a child logger; object ids are fields (taskId, nodeId), messages are lower case. */
import { pino, type Logger as PinoLogger } from 'pino';

export type Logger = Pick<
  PinoLogger,
  'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child' | 'isLevelEnabled'
>;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Where lines go; standard error unless given. */
  readonly destination?: { write(line: string): void };
}

/** JSON lines. */
export function createLogger(options: LogOptions): Logger {
  const destination = options.destination ?? { write: (line: string) => void process.stderr.write(line) };
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** Says nothing; for tests. */
export const silentLogger: Logger = pino({ level: 'silent' });

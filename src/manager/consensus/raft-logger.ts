/** Where the consensus library's log lines go. */
import { LogLevel, type Logger as RaftLogger } from 'raft-ts';
import type { Logger } from '../../common/log.ts';

/** What raft says goes to our log a level lower: its info is our debug. */
export function raftLogger(log: Logger): RaftLogger {
  return {
    level: log.isLevelEnabled('debug') ? LogLevel.Debug : LogLevel.Warn,
    write: (level, text) => (level >= LogLevel.Warn ? log.warn(text) : log.debug(text)),
  };
}

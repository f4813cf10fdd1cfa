/** What follows when entries or a snapshot have been applied. */
import { EntryType } from '../types.ts';
import { LogLevel } from '../logger.ts';
import { NO_BYTES } from '../messages.ts';
import { propose } from './proposals.ts';
import type { Raft } from './raft.ts';
import { describeCurrent } from './reconfiguration.ts';

/**
 * Takes note of what was applied. Once the change that made the configuration joint is applied, the leader proposes to leave it if that was
 * asked for; should that be refused (a transfer is going on), the next applied entry tries again.
 */
export function appliedTo(raft: Raft, index: number, bytes: number): void {
  const applied = Math.max(index, raft.log.applied);
  raft.log.appliedTo(applied, bytes);
  if (!raft.tracker.config.autoLeave || applied < raft.pendingConfIndex || raft.role !== 'leader') return;
  const result = propose(raft, [{ type: EntryType.ConfChangeV2, data: NO_BYTES }]);
  if (result.ok) {
    if (raft.logs(LogLevel.Info)) {
      raft.write(LogLevel.Info, `initiating automatic transition out of joint configuration ${describeCurrent(raft)}`);
    }
  } else if (raft.logs(LogLevel.Debug)) {
    raft.write(
      LogLevel.Debug,
      `not initiating automatic transition out of joint configuration ${describeCurrent(raft)}: raft proposal dropped`,
    );
  }
}

/** Base of every error of the durable log; `code` is stable and fit for switching on. */
export class RaftLogError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Where a {@link LogCorruptError} was found. Offset in bytes from the start of the file; sequence of the record expected there, if known. */
export interface CorruptionPlace {
  readonly file: string;
  readonly offset: number;
  readonly sequence?: number | undefined;
}

/**
 * The log or a snapshot on disk is damaged in a way that is no interrupted write.
 * A node must not vote or acknowledge with such a log: repair it from its peers or join again under a new id.
 */
export class LogCorruptError extends RaftLogError {
  readonly place: CorruptionPlace;
  readonly detail: string;

  constructor(place: CorruptionPlace, detail: string, options?: ErrorOptions) {
    const record = place.sequence === undefined ? '' : `, record ${String(place.sequence)}`;
    super(
      'LOG_CORRUPT',
      `raft log is corrupt: ${place.file} at byte ${String(place.offset)}${record}: ${detail}; restore this member from its peers (join it again as a new member)`,
      options,
    );
    this.place = place;
    this.detail = detail;
  }
}

/** The directory holds the log of another cluster or another node. */
export class LogIdentityError extends RaftLogError {
  constructor(file: string, field: 'cluster' | 'node', found: string, wanted: string) {
    super(
      'LOG_IDENTITY',
      `raft log ${file} belongs to ${field} "${found}", not to "${wanted}"; use this node's own data directory`,
    );
  }
}

/** Another process (or another log of this process) has the directory open. */
export class LogLockedError extends RaftLogError {
  readonly pid: number;

  constructor(file: string, pid: number) {
    super('LOG_LOCKED', `raft log directory is in use by process ${String(pid)} (${file}); stop that process first`);
    this.pid = pid;
  }
}

/** No room to prepare log space ahead. Nothing is lost; the node should step down and refuse proposals until space is back. */
export class DiskFullError extends RaftLogError {
  constructor(what: string, options?: ErrorOptions) {
    super('DISK_FULL', `disk full: ${what}; free space on the file system of the raft log`, options);
  }
}

/** A write or sync of the log failed. What is on disk is unknown: the process must end and recover by starting again. */
export class LogFatalError extends RaftLogError {
  constructor(what: string, options?: ErrorOptions) {
    super('LOG_FATAL', `raft log failed: ${what}; the process must be restarted`, options);
  }
}

/** A segment or snapshot is encrypted with a key that was not given. */
export class LogKeyError extends RaftLogError {
  readonly keyId: string;

  constructor(file: string, keyId: string) {
    super(
      'LOG_KEY',
      keyId === ''
        ? `raft log ${file} is not encrypted as expected`
        : `raft log ${file} is encrypted with key "${keyId}", which was not given; unlock the node with that key`,
    );
    this.keyId = keyId;
  }
}

/** The log was closed. */
export class LogClosedError extends RaftLogError {
  constructor() {
    super('LOG_CLOSED', 'raft log is closed');
  }
}

/** The `code` of a Node system error, if it is one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A failed sync leaves the file in an unknown state, whatever the reason: it must not be tried again. */
export function isSyncFailure(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && (error.syscall === 'fsync' || error.syscall === 'fdatasync');
}

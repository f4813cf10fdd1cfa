/**
 * One agent per state folder: a lock file names the process that has it. A lock whose process is gone is taken over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SwarmError } from '../common/errors.ts';
import { identityOf, isAlive, type ProcessIdentity } from './process-identity.ts';

/** The folder is in use. */
export class StateLockedError extends SwarmError {
  readonly pid: number;

  constructor(dir: string, pid: number) {
    super(
      'failedPrecondition',
      `cannot use state folder ${dir}: process ${pid} has it open; stop that process, or give this one another data dir`,
    );
    this.pid = pid;
  }
}

export interface StateLock {
  release(): void;
}

const FILE_NAME = 'agent.lock';

/** Throws {@link StateLockedError} when a live process holds the folder. */
export function lockStateFolder(dir: string): StateLock {
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const file = path.join(dir, FILE_NAME);
  const own = JSON.stringify(identityOf(process.pid) ?? { pid: process.pid, startTicks: '' });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, own);
  try {
    // Each round either takes the lock or finds a live holder; dead ones are moved away one by one.
    for (;;) {
      if (tryLink(mine, file)) break;
      const holder = readHolder(file);
      if (holder && isAlive(holder)) throw new StateLockedError(dir, holder.pid);
      moveAway(file, mine, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return {
    release: () => {
      if (readText(file) === own) rmSync(file, { force: true });
    },
  };
}

/** Linking fails when the name exists, so only one of many takers gets it, with its content already in place. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead holder's lock, and puts it back when in the meantime it became somebody else's. */
function moveAway(file: string, mine: string, dead: ProcessIdentity | undefined): void {
  const aside = `${mine}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const taken = parse(readText(aside));
  if (taken && isAlive(taken) && taken.pid !== dead?.pid) tryLink(aside, file);
  rmSync(aside, { force: true });
}

const readHolder = (file: string): ProcessIdentity | undefined => parse(readText(file));

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string | undefined): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const { pid, startTicks } = value as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startTicks === 'string' ? { pid, startTicks } : undefined;
  } catch {
    return undefined;
  }
}

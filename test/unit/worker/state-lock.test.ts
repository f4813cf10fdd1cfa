import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../../src/worker/process-identity.ts';
import { lockStateFolder, StateLockedError } from '../../../src/worker/state-lock.ts';

let dir: string;
const lockFile = (): string => path.join(dir, 'agent.lock');

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'swarmd-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the lock of a state folder', () => {
  it('is held by one at a time, and names the process that has it', () => {
    const lock = lockStateFolder(dir);
    let error: unknown;
    try {
      lockStateFolder(dir);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(StateLockedError);
    expect(error).toMatchObject({ pid: process.pid, code: 'failedPrecondition' });
    expect(String(error)).toContain(`process ${process.pid} has it open`);
    lock.release();
    lockStateFolder(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is taken over from a process that is gone', () => {
    writeFileSync(lockFile(), JSON.stringify({ pid: 2 ** 22 + 1, startTicks: '1' }));
    lockStateFolder(dir).release();
  });

  it('is taken over when its process number belongs to another process by now', () => {
    const other = identityOf(process.ppid);
    writeFileSync(lockFile(), JSON.stringify({ ...other, startTicks: '1' }));
    lockStateFolder(dir).release();
  });

  it('is taken over when it cannot be read', () => {
    writeFileSync(lockFile(), 'garbage');
    lockStateFolder(dir).release();
    expect(existsSync(lockFile())).toBe(false);
  });
});

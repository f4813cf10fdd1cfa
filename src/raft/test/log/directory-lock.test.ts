import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DirectoryLock } from '../../src/log/directory-lock.ts';
import { LogLockedError } from '../../src/log/errors.ts';
import { aDirectory } from './support.ts';

describe('the lock of a directory', () => {
  it('names its holder and is gone after release', () => {
    const directory = aDirectory();
    const lock = DirectoryLock.acquire(directory);
    expect(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    lock.release();
    expect(existsSync(join(directory, 'lock'))).toBe(false);
  });

  it('is respected while its holder lives and taken over when it died', async () => {
    const directory = aDirectory();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const stat = await waitForStat(child.pid ?? 0);
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    writeFileSync(join(directory, 'lock'), JSON.stringify({ pid: child.pid, started: stat, boot }));
    expect(() => DirectoryLock.acquire(directory)).toThrow(LogLockedError);
    expect(() => DirectoryLock.acquire(directory)).toThrow(`process ${String(child.pid)}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    DirectoryLock.acquire(directory).release();
  });

  it('is not held by another process that got the same id, nor by one of an earlier boot', () => {
    const directory = aDirectory();
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    for (const stale of [
      { pid: process.pid, started: '1', boot },
      { pid: process.pid, started: '', boot: 'earlier' },
    ]) {
      writeFileSync(join(directory, 'lock'), JSON.stringify(stale));
      DirectoryLock.acquire(directory).release();
    }
    writeFileSync(join(directory, 'lock'), 'half a lo');
    DirectoryLock.acquire(directory).release();
  });
});

async function waitForStat(pid: number): Promise<string> {
  for (let i = 0; i < 100; i++) {
    try {
      const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  throw new Error('the child did not start');
}

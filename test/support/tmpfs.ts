/** Small file systems in memory, for tests that fill them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';

/** Mounts one over a folder; returns how to take it away. */
export type MountTmpfs = (folder: string, size: string) => () => void;

const mount: MountTmpfs = (folder, size) => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'pipe' });
  return () => execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
};

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'swarmd-mount-'));
  try {
    mount(folder, '64k')();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `describe` where this process may mount; else the suite is skipped with the reason in its name. */
export function describeWithTmpfs(name: string, body: (mount: MountTmpfs) => void): void {
  if (mayMount()) describe(name, () => body(mount));
  else describe.skipIf(true)(`${name} (skipped: needs to be allowed to mount a tmpfs)`, () => body(mount));
}

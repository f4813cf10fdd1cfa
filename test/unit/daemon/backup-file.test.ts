import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backup } from '../../../src/daemon/rescue/backup.ts';
import { readBackup, writeBackup } from '../../../src/daemon/rescue/backup-file.ts';

describe('a backup file', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-backup-'));
    file = join(directory, 'swarm.backup');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const head = { clusterId: 'c', nodeId: 'n', address: '10.0.0.1:2377', index: 7, term: 2 };
  const state = new Uint8Array(Buffer.concat([Buffer.from('a secret payload'), randomBytes(2000)]));

  it('gives back what was written, for the owner alone', async () => {
    await writeBackup(file, { head, state }, undefined);
    const read = await readBackup(file, undefined);
    expect(read.head).toEqual(head);
    expect(Buffer.from(read.state).equals(state)).toBe(true);
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it('opens with its passphrase only, and shows nothing without', async () => {
    await writeBackup(file, { head, state }, 'open sesame');
    expect((await readFile(file)).includes('secret payload')).toBe(false);
    expect(Buffer.from((await readBackup(file, 'open sesame')).state).equals(state)).toBe(true);
    await expect(readBackup(file, undefined)).rejects.toThrow('give its passphrase with --passphrase-file');
    await expect(readBackup(file, 'sesame')).rejects.toThrow('the passphrase does not open');
  });

  it('is refused when a byte of it changed or an end is missing, whatever it is', async () => {
    await writeBackup(file, { head, state }, undefined);
    const bytes = await readFile(file);
    for (const at of [bytes.length - 1, bytes.length - 500]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(file, damaged);
      await expect(readBackup(file, undefined)).rejects.toThrow('is damaged');
    }
    await writeFile(file, bytes.subarray(0, -10));
    await expect(readBackup(file, undefined)).rejects.toThrow('is damaged');
    await writeFile(file, 'hello');
    await expect(readBackup(file, undefined)).rejects.toThrow('is no backup of a swarm');
    await expect(readBackup(join(directory, 'missing'), undefined)).rejects.toThrow('cannot be read');
  });

  it('is not made where no manager answers, and the way to name another is told', async () => {
    const api = `unix://${join(directory, 'swarmd.sock')}`;
    await expect(backup({ api, out: file, passphrase: undefined })).rejects.toThrow(
      /there is no such socket; .* with --api$/,
    );
  });
});

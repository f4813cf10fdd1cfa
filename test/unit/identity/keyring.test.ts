import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Keyring } from '../../../src/identity/keyring.ts';

describe('the keys of a manager at rest', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-keyring-'));
    file = join(directory, 'keys.json');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const reload = async (): Promise<Keyring> => {
    const keyring = await Keyring.load(file);
    if (!keyring) throw new Error('there is no keyring');
    return keyring;
  };
  const keysIn = (keyring: Keyring): readonly string[] =>
    [...keyring.log.keys.values()].map((key) => Buffer.from(key).toString('base64'));

  it('are read back as they were made', async () => {
    const made = await Keyring.create(file);
    const read = await reload();
    expect(read.isLocked).toBe(false);
    expect(read.log).toEqual(made.log);
    expect(read.passphrase).toBeUndefined();
  });

  it('are read from the file of an earlier version', async () => {
    const key = randomBytes(32).toString('base64');
    await writeFile(file, JSON.stringify({ current: '1', keys: { 1: key } }));
    const read = await reload();
    expect(keysIn(read)).toEqual([key]);
    expect(read.isLocked).toBe(false);
  });

  it('lie sealed on disk once they are locked, and only the unlock key opens them', async () => {
    const keyring = await Keyring.create(file);
    const unlockKey = randomBytes(32);
    await keyring.lock(unlockKey);
    const text = await readFile(file, 'utf8');
    for (const secret of [...keysIn(keyring), keyring.passphrase ?? '', unlockKey.toString('base64')])
      expect(text).not.toContain(secret);

    const sealed = await reload();
    expect(sealed.isLocked).toBe(true);
    expect(() => sealed.log).toThrow('sealed');
    await expect(sealed.unlock(randomBytes(32))).rejects.toMatchObject({
      code: 'unauthenticated',
      message: 'swarm could not be unlocked: invalid key provided',
    });
    expect(sealed.isLocked).toBe(true);
    await sealed.unlock(unlockKey);
    expect(sealed.log).toEqual(keyring.log);
    expect(sealed.passphrase).toBe(keyring.passphrase);
  });

  it('keep the passphrase when the unlock key changes, so that the private key need not be written again', async () => {
    const keyring = await Keyring.create(file);
    const [first, second] = [randomBytes(32), randomBytes(32)];
    await keyring.lock(first);
    const { passphrase } = keyring;
    await keyring.lock(second);
    expect(keyring.passphrase).toBe(passphrase);
    await expect((await reload()).unlock(first)).rejects.toThrow('invalid key');
    await expect((await reload()).unlock(second)).resolves.toBeUndefined();
  });

  it('can be told from keys that were put under another name', async () => {
    const keyring = await Keyring.create(file);
    const unlockKey = randomBytes(32);
    await keyring.addLogKey();
    await keyring.lock(unlockKey);
    const content = JSON.parse(await readFile(file, 'utf8')) as { keys: Record<string, string> };
    await writeFile(
      file,
      JSON.stringify({ ...content, keys: { ...content.keys, 1: content.keys['2'], 2: content.keys['1'] } }),
    );
    await expect((await reload()).unlock(unlockKey)).rejects.toThrow('invalid key');
  });

  it('refuse a damaged file and one of a newer version', async () => {
    await writeFile(file, '{"current":"1","keys":{}}');
    await expect(Keyring.load(file)).rejects.toThrow(`${file} cannot be used: key "1" is missing`);
    await writeFile(file, '{"format":99,"current":"1","keys":{}}');
    await expect(Keyring.load(file)).rejects.toThrow('newer swarmd (format 99');
  });

  it('survive any order of changes', async () => {
    const step = fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => ({ do: 'lock' as const, key })),
      fc.constantFrom({ do: 'removeLock' as const }, { do: 'addLogKey' as const }),
      fc.subarray(['1', '2', '3', '4', '5']).map((needed) => ({ do: 'forget' as const, needed })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
        const keyring = await Keyring.create(file);
        for (const change of steps) {
          if (change.do === 'lock') await keyring.lock(change.key);
          else if (change.do === 'forget') await keyring.forgetLogKeys(new Set(change.needed));
          else await keyring[change.do]();
        }
        const read = await reload();
        expect(read.isLocked).toBe(keyring.unlockKey !== undefined);
        if (keyring.unlockKey) await read.unlock(keyring.unlockKey);
        expect(read.log).toEqual(keyring.log);
        expect(read.passphrase).toBe(keyring.passphrase);
        expect(read.log.keys.has(read.log.current)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

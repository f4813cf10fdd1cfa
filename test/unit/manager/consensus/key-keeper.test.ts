import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/common/log.ts';
import { FakeClock, systemClock } from '../../../../src/common/clock.ts';
import { Keyring, type LogKeySet } from '../../../../src/identity/keyring.ts';
import { managerKey } from '../../../../src/identity/unlock-key.ts';
import { KeyKeeper } from '../../../../src/manager/consensus/key-keeper.ts';
import { aCluster } from '../../../support/local-control.ts';
import { localStore, type LocalStore } from '../../../support/local-store.ts';

describe("the keeper of a manager's keys", () => {
  let directory: string;
  let keyring: Keyring;
  let local: LocalStore;
  let caughtUp: () => void;
  let stop: AbortController;
  let running: Promise<void>;
  /** What the log and the private key are encrypted with, and what happened. */
  let used: LogKeySet;
  let passphrase: string | undefined;
  let exposed: number;
  let stillNeeded: ReadonlySet<string>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-keeper-'));
    keyring = await Keyring.create(join(directory, 'keys.json'));
    local = localStore(systemClock);
    await local.store.update((tx) => tx.cluster.create(aCluster()));
    used = keyring.log;
    passphrase = undefined;
    exposed = 0;
    stillNeeded = new Set();
    stop = new AbortController();
    const barrier = new Promise<void>((resolve) => {
      caughtUp = resolve;
    });
    const identity = {
      get isEncrypted() {
        return passphrase !== undefined;
      },
      encryptWith: (given: string | undefined) => Promise.resolve(void (passphrase = given)),
    };
    const keeper = new KeyKeeper({
      store: local.store,
      keyring,
      identity,
      log: {
        setKeys: (keys) => {
          used = keys;
        },
        releaseKeys: () => stillNeeded,
      },
      readBarrier: () => barrier,
      onExposedKey: () => void exposed++,
      clock: systemClock,
      logger: silentLogger,
    });
    running = keeper.run(stop.signal);
  });
  afterEach(async () => {
    caughtUp();
    stop.abort();
    await running;
    await rm(directory, { recursive: true, force: true });
  });

  const setKey = (key: Buffer | undefined): Promise<unknown> =>
    local.store.update((tx) => {
      const cluster = aCluster();
      const present = tx.cluster.get(cluster.id) ?? cluster;
      tx.cluster.update({ ...present, unlockKeys: key ? [managerKey(key)] : [] });
    });
  const sealedUnder = (key: Buffer | undefined) =>
    expect.poll(() => Buffer.from(keyring.unlockKey ?? []).equals(key ?? Buffer.alloc(0))).toBe(true);

  it('seals them when locking begins, and has everything that was exposed replaced', async () => {
    caughtUp();
    await setKey(Buffer.alloc(32, 1));
    await sealedUnder(Buffer.alloc(32, 1));
    await expect.poll(() => used.current).toBe('2');
    expect(passphrase).toBe(keyring.passphrase);
    await expect.poll(() => exposed).toBe(1);
    await expect.poll(() => [...keyring.log.keys.keys()]).toEqual(['2']);
  });

  it('seals them again under another key, keeping the passphrase; the log goes on under a new key', async () => {
    caughtUp();
    await setKey(Buffer.alloc(32, 1));
    await sealedUnder(Buffer.alloc(32, 1));
    const before = keyring.passphrase;
    await setKey(Buffer.alloc(32, 2));
    await sealedUnder(Buffer.alloc(32, 2));
    await expect.poll(() => used.current).toBe('3');
    expect(keyring.passphrase).toBe(before);
    expect(exposed).toBe(1);
  });

  it('opens them when locking ends, the private key first', async () => {
    caughtUp();
    await setKey(Buffer.alloc(32, 1));
    await sealedUnder(Buffer.alloc(32, 1));
    await setKey(undefined);
    await sealedUnder(undefined);
    expect(passphrase).toBeUndefined();
    expect(JSON.parse(await readFile(join(directory, 'keys.json'), 'utf8'))).toMatchObject({ sealed: false });
  });

  it('keeps a key of the log as long as it opens anything', async () => {
    caughtUp();
    stillNeeded = new Set(['1']);
    await setKey(Buffer.alloc(32, 1));
    await expect.poll(() => used.current).toBe('2');
    expect([...keyring.log.keys.keys()]).toEqual(['1', '2']);
    stillNeeded = new Set();
    await expect.poll(() => [...keyring.log.keys.keys()], { timeout: 5_000 }).toEqual(['2']);
  });

  it('changes nothing before the store shows the present: a lock of long ago may be seen first', async () => {
    await setKey(Buffer.alloc(32, 1));
    await setKey(Buffer.alloc(32, 2));
    expect(keyring.unlockKey).toBeUndefined();
    caughtUp();
    await sealedUnder(Buffer.alloc(32, 2));
    await expect.poll(() => used.current).toBe('2');
  });
});

describe('a key of the log that has been in use for long', () => {
  const DAY_MS = 24 * 3_600_000;

  it('is replaced by a new one without anybody asking, and forgotten when it opens nothing any more', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'swarmd-keeper-'));
    const clock = new FakeClock();
    const keyring = await Keyring.create(join(directory, 'keys.json'), clock.now());
    const local = localStore(clock);
    await local.store.update((tx) => tx.cluster.create(aCluster()));
    const used: string[] = [];
    const stop = new AbortController();
    const running = new KeyKeeper({
      store: local.store,
      keyring,
      identity: { isEncrypted: false, encryptWith: () => Promise.resolve() },
      log: { setKeys: ({ current }) => void used.push(current), releaseKeys: () => new Set(['2']) },
      readBarrier: () => Promise.resolve(),
      onExposedKey: () => undefined,
      clock,
      logger: silentLogger,
    }).run(stop.signal);
    await clock.advance(29 * DAY_MS);
    expect(used).toEqual([]);
    await clock.advance(2 * DAY_MS);
    await expect.poll(() => used).toEqual(['2']);
    await expect
      .poll(async () => {
        await clock.advance(1_000);
        return [...keyring.log.keys.keys()];
      })
      .toEqual(['2']);
    expect((await Keyring.load(join(directory, 'keys.json')))?.logKeySinceMs).toBe(keyring.logKeySinceMs);
    stop.abort();
    await running;
    await rm(directory, { recursive: true, force: true });
  });
});

/**
 * Keeps this manager's keys at rest as the cluster wants them: sealed under the unlock key while it locks its managers, in the clear
 * otherwise. Whenever an older key may have been seen by others (locking begins, the unlock key or the root certificate changes), or has
 * been in use for long, the log goes on under a new one, and the old one is forgotten once a snapshot has replaced everything it opens.
 * Runs on every manager.
 */
import { sleep, type CancelTimer, type Clock } from '../../common/clock.ts';
import { errorText } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Keyring, LogKeySet } from '../../identity/keyring.ts';
import type { NodeIdentity } from '../../identity/node-identity.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { unlockKeyOf } from '../../identity/unlock-key.ts';
import type { Store } from '../store/store.ts';
import type { Commit, Watch } from '../store/watch.ts';

const RETRY_MS = 1_000;
/** How often it is looked whether an old key still opens something. */
const FORGET_POLL_MS = 500;
/** After this time the log goes on under a new key, whatever happened. */
const KEY_LIFE_MS = 30 * 24 * 3_600_000;
/** How often the age of the key is looked at. */
const AGE_POLL_MS = 3_600_000;

export interface KeyKeeperOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly identity: Pick<NodeIdentity, 'isEncrypted' | 'encryptWith'>;
  readonly log: LogEncryption;
  /** Resolves when the store shows everything that was committed before the call. */
  readonly readBarrier: (signal: AbortSignal) => Promise<void>;
  /** The private key lay on disk in the clear until now: it should be replaced. */
  readonly onExposedKey: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The part of the consensus that encrypts. */
export interface LogEncryption {
  /** Encrypts with the current key from now on, and makes a snapshot with it. */
  setKeys(keys: LogKeySet): void;
  /** Works towards needing the current key alone; returns the ids of those that are still needed. To be called now and then. */
  releaseKeys(): ReadonlySet<string>;
}

export class KeyKeeper {
  readonly #options: KeyKeeperOptions;
  #root: string | undefined;
  /** Key the log is written with. */
  #current: string;
  /** What comes next in the watch, while it is waited for. */
  #change: Promise<readonly Commit[]> | undefined;

  constructor(options: KeyKeeperOptions) {
    this.#options = options;
    this.#current = options.keyring.log.current;
  }

  /** Ends when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, logger, readBarrier, keyring } = this.#options;
    const [, watch] = store.readAndWatch(() => undefined, { kinds: ['cluster'], signal });
    try {
      // The store of a manager that just started may show a lock of long ago.
      for (let isCurrent = false; !isCurrent;) {
        isCurrent = await readBarrier(signal).then(
          () => true,
          () => false,
        );
        if (!isCurrent) await sleep(clock, RETRY_MS, signal);
      }
      for (;;) {
        watch.take();
        try {
          const cluster = store.read.cluster.all()[0];
          if (cluster) await this.#follow(cluster);
          await this.#forgetOldKeys();
        } catch (error) {
          logger.error({ error: errorText(error) }, 'the keys of this manager could not be changed, trying again');
          await sleep(clock, RETRY_MS, signal);
          continue;
        }
        if (keyring.log.keys.size > 1) await sleep(clock, FORGET_POLL_MS, signal);
        else if (!(await this.#changeOrHour(watch))) return;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      watch.close();
    }
  }

  /** Waits until something changed or it is time to look at the key's age; false when the watch has ended. */
  async #changeOrHour(watch: Watch): Promise<boolean> {
    this.#change ??= watch.next().finally(() => {
      this.#change = undefined;
    });
    let cancel: CancelTimer | undefined;
    const hour = new Promise<true>((resolve) => {
      cancel = this.#options.clock.setTimer(AGE_POLL_MS, () => resolve(true));
    });
    const isOn = await Promise.race([hour, this.#change.then((commits) => commits.length > 0)]);
    cancel?.();
    return isOn;
  }

  /** Each step is done again until it succeeds, also after a crash. */
  async #follow(cluster: Cluster): Promise<void> {
    const { keyring, identity, log, clock, logger, onExposedKey } = this.#options;
    const wanted = unlockKeyOf(cluster);
    const present = keyring.unlockKey;
    if (!wanted && present) {
      // The passphrase must not be forgotten before it is needed no more.
      await identity.encryptWith(undefined);
      await keyring.removeLock();
      logger.info('this manager is locked no more when it restarts');
    } else if (wanted && !(present && Buffer.from(wanted).equals(present))) {
      await keyring.lock(wanted, clock.now());
      logger.info('the keys of this manager are sealed under the unlock key');
    }
    if (wanted && !identity.isEncrypted) {
      await identity.encryptWith(keyring.passphrase);
      onExposedKey();
    }
    const root = cluster.rootCa?.caCertHash;
    const isOld = clock.now() - keyring.logKeySinceMs > KEY_LIFE_MS;
    if (isOld || (this.#root !== undefined && root !== this.#root)) await keyring.addLogKey(clock.now());
    this.#root = root;
    if (keyring.log.current === this.#current) return;
    log.setKeys(keyring.log);
    this.#current = keyring.log.current;
    logger.info({ key: this.#current }, 'the log goes on under a new key');
  }

  async #forgetOldKeys(): Promise<void> {
    const { keyring, log, logger } = this.#options;
    const before = keyring.log.keys.size;
    if (before === 1) return;
    await keyring.forgetLogKeys(log.releaseKeys());
    if (keyring.log.keys.size === before) return;
    logger.info({ kept: [...keyring.log.keys.keys()] }, 'keys of the log that open nothing any more are forgotten');
  }
}

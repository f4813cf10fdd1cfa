/**
 * The keys that open what a manager keeps on disk: those of its log and snapshots, and the passphrase of its private key. While the
 * cluster locks its managers they are sealed under the unlock key, which is kept nowhere on the node. One file holds them all, so
 * that changing the unlock key is one write.
 */
import { randomBytes } from 'node:crypto';
import { SwarmError } from '../common/errors.ts';
import { encodeKeyring, readKeyringFile, unsealKeys, type Keys } from './keyring-file.ts';
import { writeFileAtomic } from '../common/files.ts';

const KEY_BYTES = 32;

/** Keys of a log: `current` names the one of everything written from now on, the others still open what is there. */
export interface LogKeySet {
  readonly current: string;
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

export class Keyring {
  readonly #file: string;
  #keys: Keys | undefined;
  #unlockKey: Uint8Array | undefined;

  private constructor(file: string, keys: Keys | undefined, unlockKey?: Uint8Array) {
    this.#file = file;
    this.#keys = keys;
    this.#unlockKey = unlockKey;
  }

  /** Reads a file of keys; undefined when there is none. Throws dataLoss naming the file when it is damaged. */
  static async load(file: string): Promise<Keyring | undefined> {
    const stored = await readKeyringFile(file);
    return stored && new Keyring(file, stored.isSealed ? undefined : unsealKeys(stored, undefined));
  }

  /** Makes the first key of a new manager. */
  static async create(file: string, nowMs = Date.now()): Promise<Keyring> {
    const keyring = new Keyring(file, undefined);
    const log = new Map([['1', newKey()]]);
    await keyring.#become({ current: '1', sinceMs: nowMs, log, passphrase: undefined }, undefined);
    return keyring;
  }

  /** The keys are sealed and nobody has given the unlock key yet. */
  get isLocked(): boolean {
    return this.#keys === undefined;
  }

  /** The key these keys are sealed under; undefined while they lie in the clear. */
  get unlockKey(): Uint8Array | undefined {
    return this.#unlockKey;
  }

  get log(): LogKeySet {
    const { current, log } = this.#opened();
    return { current, keys: log };
  }

  /** When the log's current key was made, in ms since 1970; 0 if that is not known. */
  get logKeySinceMs(): number {
    return this.#opened().sinceMs;
  }

  /** What the node's private key is encrypted with; undefined while it lies in the clear. */
  get passphrase(): string | undefined {
    return this.#opened().passphrase;
  }

  /** Opens sealed keys. Throws unauthenticated when the key is not the one they were sealed under last. */
  async unlock(unlockKey: Uint8Array): Promise<void> {
    if (this.#keys) return;
    const stored = await readKeyringFile(this.#file);
    if (!stored)
      throw new SwarmError('dataLoss', `${this.#file} is gone: restore it, or leave the swarm and join again`);
    this.#keys = unsealKeys(stored, unlockKey);
    this.#unlockKey = unlockKey;
  }

  /**
   * Seals the keys under an unlock key, the first one or another. The log gets a new key in the same write: what opened it until now
   * may be known to others.
   */
  async lock(unlockKey: Uint8Array, nowMs = Date.now()): Promise<void> {
    const keys = withNewLogKey(this.#opened(), nowMs);
    const passphrase = keys.passphrase ?? randomBytes(KEY_BYTES).toString('base64');
    await this.#become({ ...keys, passphrase }, unlockKey);
  }

  /** Keeps the keys in the clear. The private key must lie in the clear already, for its passphrase is forgotten. */
  async removeLock(): Promise<void> {
    await this.#become({ ...this.#opened(), passphrase: undefined }, undefined);
  }

  /** Adds a key for the log and makes it the current one. */
  async addLogKey(nowMs = Date.now()): Promise<void> {
    await this.#become(withNewLogKey(this.#opened(), nowMs), this.#unlockKey);
  }

  /** Forgets the log keys that open nothing any more. The current one stays. */
  async forgetLogKeys(needed: ReadonlySet<string>): Promise<void> {
    const keys = this.#opened();
    const kept = [...keys.log].filter(([id]) => id === keys.current || needed.has(id));
    if (kept.length < keys.log.size) await this.#become({ ...keys, log: new Map(kept) }, this.#unlockKey);
  }

  /** What is in memory changes once it is on disk. */
  async #become(keys: Keys, unlockKey: Uint8Array | undefined): Promise<void> {
    await writeFileAtomic(this.#file, encodeKeyring(keys, unlockKey));
    this.#keys = keys;
    this.#unlockKey = unlockKey;
  }

  #opened(): Keys {
    if (!this.#keys) throw new SwarmError('failedPrecondition', 'the keys of this manager are sealed: unlock it first');
    return this.#keys;
  }
}

function withNewLogKey(keys: Keys, nowMs: number): Keys {
  const current = String(Math.max(...[...keys.log.keys()].map(Number)) + 1);
  return { ...keys, current, sinceMs: nowMs, log: new Map([...keys.log, [current, newKey()]]) };
}

const newKey = (): Uint8Array => new Uint8Array(randomBytes(KEY_BYTES));

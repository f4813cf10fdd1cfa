/**
 * The file of a keyring:
 *
 *   { "format": 2, "sealed": false, "current": "1", "since": ISO date, "keys": { "1": key }, "passphrase": passphrase }
 *
 * Values are base64. Sealed ones are AES-256-GCM under the unlock key: nonce (12 bytes), ciphertext, tag (16 bytes); each is bound to
 * its name, so that values cannot be swapped.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { errorText, SwarmError } from '../common/errors.ts';
import { readIfThere } from '../common/files.ts';

const FORMAT = 2;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PASSPHRASE = 'passphrase';

/** The keys of a keyring in the clear. */
export interface Keys {
  readonly current: string;
  /** When the current key was made, in ms since 1970; 0 if nobody wrote that down. */
  readonly sinceMs: number;
  /** Key id → 32 bytes. */
  readonly log: ReadonlyMap<string, Uint8Array>;
  readonly passphrase: string | undefined;
}

export interface StoredKeyring {
  readonly file: string;
  readonly isSealed: boolean;
  readonly current: string;
  readonly sinceMs: number;
  readonly log: ReadonlyMap<string, Buffer>;
  readonly passphrase: Buffer | undefined;
}

/** undefined when there is no file. Throws dataLoss naming it when it cannot be understood. */
export async function readKeyringFile(file: string): Promise<StoredKeyring | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    const { format = 1, sealed = false, current, since, keys, passphrase } = JSON.parse(text) as FileContent;
    if (format > FORMAT)
      throw new Error(`it was written by a newer swarmd (format ${format}, this one knows ${FORMAT})`);
    const log = new Map(Object.entries(keys).map(([id, value]) => [id, Buffer.from(value, 'base64')]));
    const length = KEY_BYTES + (sealed ? NONCE_BYTES + TAG_BYTES : 0);
    if (log.get(current)?.length !== length) throw new Error(`key "${current}" is missing or has the wrong length`);
    return {
      file,
      isSealed: sealed,
      current,
      sinceMs: Date.parse(since ?? '') || 0,
      log,
      passphrase: passphrase === undefined ? undefined : Buffer.from(passphrase, 'base64'),
    };
  } catch (error) {
    throw unusable(file, errorText(error), error);
  }
}

/** Throws unauthenticated when the unlock key is not the one the keys were sealed under. */
export function unsealKeys(stored: StoredKeyring, unlockKey: Uint8Array | undefined): Keys {
  const open = (name: string, value: Buffer): Buffer => {
    if (!stored.isSealed) return value;
    const plain = unlockKey && unseal(name, value, unlockKey);
    if (!plain) throw new SwarmError('unauthenticated', 'swarm could not be unlocked: invalid key provided');
    return plain;
  };
  return {
    current: stored.current,
    sinceMs: stored.sinceMs,
    log: new Map([...stored.log].map(([id, value]) => [id, new Uint8Array(open(id, value))])),
    passphrase: stored.passphrase && open(PASSPHRASE, stored.passphrase).toString('utf8'),
  };
}

/** @param unlockKey what to seal under; undefined writes the keys in the clear */
export function encodeKeyring({ current, sinceMs, log, passphrase }: Keys, unlockKey: Uint8Array | undefined): string {
  const write = (name: string, value: Uint8Array): string =>
    (unlockKey ? seal(name, value, unlockKey) : Buffer.from(value)).toString('base64');
  const content: FileContent = {
    format: FORMAT,
    sealed: unlockKey !== undefined,
    current,
    since: new Date(sinceMs).toISOString(),
    keys: Object.fromEntries([...log].map(([id, key]) => [id, write(id, key)])),
    passphrase: passphrase === undefined ? undefined : write(PASSPHRASE, Buffer.from(passphrase)),
  };
  return `${JSON.stringify(content)}\n`;
}

interface FileContent {
  readonly format?: number;
  readonly sealed?: boolean;
  readonly current: string;
  readonly since?: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly passphrase?: string | undefined;
}

function seal(name: string, plain: Uint8Array, key: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(contextOf(name));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unseal(name: string, sealed: Buffer, key: Uint8Array): Buffer | undefined {
  if (key.length !== KEY_BYTES || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES))
    .setAAD(contextOf(name))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

const contextOf = (name: string): Buffer => Buffer.from(`swarmd keyring ${name}`);

const unusable = (file: string, why: string, cause: unknown): SwarmError =>
  new SwarmError(
    'dataLoss',
    `the keys of the raft log in ${file} cannot be used: ${why}; without them this manager must be joined anew`,
    { cause },
  );

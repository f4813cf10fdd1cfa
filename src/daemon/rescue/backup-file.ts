/**
 * A backup as a file: one line of JSON that says what it is, then the state, compressed. With a passphrase the state is encrypted
 * (AES-256-GCM, key by scrypt); without one it can be read by whoever has the file.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { BackupHead } from '../../api/ports.ts';
import { errorText, SwarmError } from '../../common/errors.ts';
import { writeFileAtomic } from '../../common/files.ts';

const FORMAT = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;

export interface Backup {
  readonly head: BackupHead;
  /** A snapshot of the store. */
  readonly state: Uint8Array;
}

interface FirstLine {
  readonly swarmdBackup: number;
  readonly head: BackupHead;
  /** Of what follows the line. */
  readonly sha256: string;
  /** Absent when the state is not encrypted. */
  readonly scrypt?: { readonly salt: string } | undefined;
}

/** Writes for the owner alone. */
export async function writeBackup(
  file: string,
  { head, state }: Backup,
  passphrase: string | undefined,
): Promise<void> {
  const compressed = await promisify(gzip)(state);
  const salt = passphrase === undefined ? undefined : randomBytes(SALT_BYTES);
  const payload = salt ? encrypt(compressed, await keyOf(passphrase ?? '', salt)) : compressed;
  const line: FirstLine = {
    swarmdBackup: FORMAT,
    head,
    sha256: sha256(payload),
    scrypt: salt && { salt: salt.toString('base64') },
  };
  await writeFileAtomic(file, Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), payload]));
}

/** Throws dataLoss when the file is damaged or no backup, unauthenticated when the passphrase is wrong or missing. */
export async function readBackup(file: string, passphrase: string | undefined): Promise<Backup> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new SwarmError('notFound', `the backup ${file} cannot be read: ${errorText(error)}`, { cause: error });
  });
  const end = bytes.indexOf('\n');
  const line = firstLine(file, bytes.subarray(0, Math.max(0, end)).toString('utf8'));
  const payload = bytes.subarray(end + 1);
  if (sha256(payload) !== line.sha256)
    throw new SwarmError('dataLoss', `the backup ${file} is damaged: its content is not what was written`);
  const compressed = line.scrypt ? await decrypt(payload, passphrase, line.scrypt.salt, file) : payload;
  return { head: line.head, state: await promisify(gunzip)(compressed) };
}

function firstLine(file: string, text: string): FirstLine {
  let line: Partial<FirstLine>;
  try {
    line = JSON.parse(text) as Partial<FirstLine>;
  } catch (error) {
    throw new SwarmError('dataLoss', `${file} is no backup of a swarm: its first line is not JSON`, { cause: error });
  }
  if (!line.swarmdBackup || !line.head || !line.sha256)
    throw new SwarmError('dataLoss', `${file} is no backup of a swarm: write one with "swarmd backup --out FILE"`);
  if (line.swarmdBackup > FORMAT)
    throw new SwarmError(
      'dataLoss',
      `${file} was written by a newer swarmd (format ${line.swarmdBackup}, this one knows ${FORMAT})`,
    );
  return line as FirstLine;
}

function encrypt(plain: Uint8Array, key: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

async function decrypt(
  payload: Buffer,
  passphrase: string | undefined,
  salt: string,
  file: string,
): Promise<Uint8Array> {
  if (passphrase === undefined)
    throw new SwarmError(
      'unauthenticated',
      `the backup ${file} is encrypted: give its passphrase with --passphrase-file`,
    );
  const key = await keyOf(passphrase, Buffer.from(salt, 'base64'));
  const decipher = createDecipheriv('aes-256-gcm', key, payload.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(payload.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(payload.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw new SwarmError('unauthenticated', `the passphrase does not open the backup ${file}`, { cause: error });
  }
}

const keyOf = (passphrase: string, salt: Buffer): Promise<Buffer> =>
  promisify<string, Buffer, number, Buffer>(scrypt)(passphrase, salt, KEY_BYTES);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

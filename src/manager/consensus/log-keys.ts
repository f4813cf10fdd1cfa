/** Keys that encrypt this manager's log and snapshots at rest, kept in a file of the state folder that only the daemon can read. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LogKeys } from 'raft-ts';
import { errorText, SwarmError } from '../../common/errors.ts';
import { writeFileAtomic } from '../../common/files.ts';

const KEY_BYTES = 32;

/** Reads the keys, or makes the first one. Throws dataLoss naming the file when it is damaged. */
export async function loadLogKeys(file: string): Promise<LogKeys> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return createLogKeys(file);
  }
  try {
    const { current, keys } = JSON.parse(text) as { current: string; keys: Record<string, string> };
    const decoded = new Map(Object.entries(keys).map(([id, key]) => [id, new Uint8Array(Buffer.from(key, 'base64'))]));
    if (decoded.get(current)?.length !== KEY_BYTES)
      throw new Error(`key "${current}" is missing or has the wrong length`);
    return { current, keys: decoded };
  } catch (error) {
    throw new SwarmError(
      'dataLoss',
      `the keys of the raft log in ${file} cannot be used: ${errorText(error)}; without them this manager must be joined anew`,
      {
        cause: error,
      },
    );
  }
}

async function createLogKeys(file: string): Promise<LogKeys> {
  const key = randomBytes(KEY_BYTES);
  await writeFileAtomic(file, `${JSON.stringify({ current: '1', keys: { 1: key.toString('base64') } })}\n`);
  return { current: '1', keys: new Map([['1', new Uint8Array(key)]]) };
}

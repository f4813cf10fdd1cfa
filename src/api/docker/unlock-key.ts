/** The key that unlocks managers, as people see it: "SWMKEY-1-" and base64 without padding. */
import { badRequest } from '../http-error.ts';
import { struct, text } from '../json/decoder.ts';

const PREFIX = 'SWMKEY-1-';

export const swarmUnlockRequest = struct('swarm.UnlockRequest', { UnlockKey: text });

/** The empty string when there is no key: the managers are not locked. */
export const formatUnlockKey = (key: Uint8Array): string =>
  key.length === 0 ? '' : PREFIX + Buffer.from(key).toString('base64').replace(/=+$/, '');

/** Of any length: one that is too short opens nothing. Throws badRequest. */
export function parseUnlockKey(written: string): Uint8Array {
  const encoded = written.startsWith(PREFIX) ? written.slice(PREFIX.length) : '';
  const key = Buffer.from(encoded, 'base64');
  if (!/^[A-Za-z0-9+/]+$/.test(encoded) || encoded.length % 4 === 1) throw badRequest('invalid key string');
  return key;
}

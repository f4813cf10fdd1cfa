/**
 * Join tokens, `SWMTKN-1-<digest>-<secret>`: the digest pins the cluster's root certificate, the secret decides the role.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SwarmError } from '../common/errors.ts';

const DIGEST_LENGTH = 50;
const SECRET_LENGTH = 25;
const PATTERN = /^SWMTKN-(1|2-[01])-([0-9a-z]{50})-([0-9a-z]{25})$/;

const base36 = (bytes: Uint8Array, length: number): string =>
  BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
    .toString(36)
    .padStart(length, '0');

/** Digest of a root bundle as it stands in tokens; it covers the exact PEM bytes. */
export const rootDigest = (rootBundle: string): string =>
  base36(createHash('sha256').update(rootBundle).digest(), DIGEST_LENGTH);

/** A fresh token for a cluster with this root. */
export const newJoinToken = (rootBundle: string): string =>
  `SWMTKN-1-${rootDigest(rootBundle)}-${base36(randomBytes(16), SECRET_LENGTH)}`;

export interface JoinToken {
  readonly digest: string;
  readonly secret: string;
}

/** Throws invalidArgument when the text is not a token; the text itself is not repeated, since it may be nearly a secret. */
export function parseJoinToken(text: string): JoinToken {
  const match = PATTERN.exec(text);
  if (!match) {
    throw new SwarmError(
      'invalidArgument',
      'invalid join token: it reads SWMTKN-1-<50 characters>-<25 characters>; print it on a manager with "swarmctl swarm join-token worker", or "… manager"',
    );
  }
  return { digest: match[2] as string, secret: match[3] as string };
}

/** Compares in constant time. */
export const isSameToken = (a: string, b: string): boolean => {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
};

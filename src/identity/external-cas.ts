/** Which authority outside of the cluster signs for which root. */
import { normalisedPem } from '../common/pem.ts';
import type { ExternalCA } from '../proto/generated/docker/swarmkit/v1/types.ts';

/** Those that sign for a root. One that names no root signs for the cluster's as it is before a rotation. */
export function authoritiesFor(
  authorities: readonly ExternalCA[],
  root: string,
  presentRoot: string,
): readonly ExternalCA[] {
  return authorities.filter(({ caCert }) => {
    const own = normalisedPem(caCert.toString('utf8'));
    return (own === '' ? normalisedPem(presentRoot) : own) === normalisedPem(root);
  });
}

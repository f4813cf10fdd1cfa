/** The key that signs node certificates at the moment: the root's, or during a rotation the new root's with its cross-signed certificate. */
import { SwarmError } from '../../common/errors.ts';
import type { KeyPair } from '../../identity/certificate.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

/** Throws failedPrecondition when the managers do not hold the key (external authority). */
export function signerOf(cluster: Cluster): KeyPair & { readonly intermediates?: string } {
  const root = cluster.rootCa;
  const rotation = root?.rootRotation;
  const text = (bytes: Buffer | undefined): string => bytes?.toString('utf8') ?? '';
  if (rotation) {
    if (rotation.caKey.length === 0)
      throw new SwarmError(
        'failedPrecondition',
        'the key of the next root certificate is kept outside, and no external authority is named that signs with it',
      );
    return {
      certificate: text(rotation.caCert),
      key: text(rotation.caKey),
      intermediates: text(rotation.crossSignedCaCert),
    };
  }
  if (!root || root.caKey.length === 0) {
    throw new SwarmError(
      'failedPrecondition',
      'the key of the root certificate is kept outside, and no external authority is named that signs with it',
    );
  }
  return { certificate: text(root.caCert), key: text(root.caKey) };
}

/** Which roots nodes are to trust. */
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

/**
 * The root of a cluster, and while it is being replaced the next one too: nodes then trust that before anybody shows a certificate that
 * leads to it alone.
 */
export function trustedRoots(cluster: Cluster | undefined): Buffer {
  const root = cluster?.rootCa;
  return Buffer.concat([root?.caCert ?? Buffer.alloc(0), root?.rootRotation?.caCert ?? Buffer.alloc(0)]);
}

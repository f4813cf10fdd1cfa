/** Whom a manager does not serve though the certificate is a good one. */
import { SwarmError } from '../common/errors.ts';
import type { Caller } from '../common/rpc.ts';

/**
 * Throws permissionDenied for a node of another cluster, and for one that was removed from this.
 * @param isRemoved whether a node's certificate was withdrawn
 */
export function refuseStranger(
  { nodeId, clusterId }: Caller,
  ownClusterId: string,
  isRemoved: (nodeId: string) => boolean,
): void {
  if (clusterId !== ownClusterId) {
    throw new SwarmError(
      'permissionDenied',
      `the certificate of node ${nodeId} belongs to another cluster (${clusterId})`,
    );
  }
  if (isRemoved(nodeId)) {
    throw new SwarmError(
      'permissionDenied',
      `node ${nodeId} was removed from this cluster: leave the swarm on that node and join again`,
    );
  }
}

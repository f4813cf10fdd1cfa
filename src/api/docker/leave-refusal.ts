/** Whether a manager may leave without being forced: never, but the reason differs. */
import { RaftMemberStatus_Reachability as Reachability } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { StoreReads } from '../ports.ts';

const BEGINNING = 'You are attempting to leave the swarm on a node that is participating as a manager. ';
const ENDING =
  'The only way to restore a swarm that has lost consensus is to reinitialize it with `--force-new-cluster`. Use `--force` to suppress this message.';

/** @param read undefined when this manager does not serve requests (no quorum) */
export function leaveRefusal(read: StoreReads['read'] | undefined): string {
  if (!read) return `${BEGINNING}Doing so may lose the consensus of your cluster. ${ENDING}`;
  const managers = read.node.all().flatMap((node) => (node.managerStatus ? [node.managerStatus] : []));
  const reachable = managers.filter((manager) => manager.reachability === Reachability.REACHABLE).length;
  if (managers.length <= 1) {
    return `${BEGINNING}Removing the last manager erases all current state of the swarm. Use \`--force\` to ignore this message. `;
  }
  const quorum = Math.floor(managers.length / 2) + 1;
  const losesQuorum = reachable - 1 < quorum;
  return losesQuorum
    ? `${BEGINNING}Removing this node leaves ${reachable - 1} managers out of ${managers.length}. Without a Raft quorum your swarm will be inaccessible. ${ENDING}`
    : `${BEGINNING}${ENDING}`;
}

/** Nodes: read, change (labels, availability, wanted role), remove. */
import { SwarmError } from '../../common/errors.ts';
import type { UpdateNodeRequest } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Membership } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeRole } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isDockerEngine } from '../placement/docker-engine.ts';
import type { Reader } from '../store/transaction.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies, RaftMembers } from './dependencies.ts';
import { candidates, isEmptyOr, matchesCommon, matchesLabels } from './filters.ts';
import { removeNode } from './node-removal.ts';
import { notFound } from './not-found.ts';
import { invalid, refused } from './validation/refusal.ts';
import { refuseStaleVersion } from './versions.ts';

type NodeCalls = Pick<ControlService, 'getNode' | 'listNodes' | 'updateNode' | 'removeNode'>;

export function nodeCalls(dependencies: ControlDependencies): NodeCalls {
  const { store, members } = dependencies;
  return {
    async getNode({ nodeId }) {
      const node = store.read.node.get(nodeId);
      if (!node) throw notFound('node', nodeId);
      return { node };
    },
    async listNodes({ filters }) {
      const nodes = candidates(filters && { ...filters, names: [] }, store.read.node).filter(
        (node) =>
          matchesCommon(filters, { id: node.id, names: namesOf(node), labels: node.description?.engine?.labels }) &&
          matchesLabels(filters?.nodeLabels ?? {}, node.spec?.annotations?.labels) &&
          isEmptyOr(filters?.roles ?? [], (role) => role === node.role) &&
          isEmptyOr(filters?.memberships ?? [], (membership) => membership === node.spec?.membership),
      );
      return { nodes };
    },
    async updateNode(request) {
      const { nodeId, nodeVersion, spec } = request;
      if (nodeId === '' || !nodeVersion || !spec) {
        throw invalid('invalid argument: node id, version and spec must be provided');
      }
      const updated = await store.update((tx) => {
        const node = tx.node.get(nodeId);
        if (!node) throw notFound('node', nodeId);
        refuseEngineAsManager(node, request);
        refuseUnsafeDemotion(tx, members, node, request);
        refuseStaleVersion('node', node, nodeVersion);
        const next = { ...node, spec };
        tx.node.update(next);
        return next;
      });
      return { node: store.read.node.get(nodeId) ?? updated };
    },
    async removeNode({ nodeId, force }) {
      await removeNode(dependencies, nodeId, force);
      return {};
    },
  };
}

/** A node answers to its host name and to the name in its spec. */
const namesOf = (node: Node): readonly string[] =>
  [node.description?.hostname ?? '', node.spec?.annotations?.name ?? ''].filter((name) => name !== '');

/** The manager inside an engine could not join our group: its whole swarm component would stop, and lose its tasks. */
function refuseEngineAsManager(node: Node, { spec }: UpdateNodeRequest): void {
  const isPromotion = spec?.desiredRole === NodeRole.MANAGER && node.spec?.desiredRole !== NodeRole.MANAGER;
  if (!isPromotion) return;
  if (!node.description) throw refused(`node ${node.id} has not said yet what it is: try again when it is ready`);
  if (!isDockerEngine(node)) return;
  throw refused(
    `node ${node.id} is a Docker Engine, which cannot be a manager of this swarm: run swarmd on that machine and promote it, or join it with the manager token`,
  );
}

/** Taking a manager out must leave a group that can still decide. */
function refuseUnsafeDemotion(reader: Reader, members: RaftMembers, node: Node, { spec }: UpdateNodeRequest): void {
  const isDemotion = node.spec?.desiredRole === NodeRole.MANAGER && spec?.desiredRole !== NodeRole.MANAGER;
  if (!isDemotion) return;
  const managers = reader.node
    .all()
    .filter(
      (other) => other.spec?.desiredRole === NodeRole.MANAGER && other.spec.membership === NodeSpec_Membership.ACCEPTED,
    );
  if (managers.length === 1 && managers[0]?.id === node.id) {
    throw refused('attempting to demote the last manager of the swarm');
  }
  if (!members.has(node.id)) {
    // A promotion that has not got as far as the raft group can simply be taken back.
    if (node.role === NodeRole.WORKER) return;
    throw new SwarmError('notFound', "can't find manager in raft memberlist");
  }
  if (!members.canRemove(node.id)) {
    throw refused("can't remove member from the raft: this would result in a loss of quorum");
  }
}

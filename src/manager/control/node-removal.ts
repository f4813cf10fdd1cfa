/** Removing a node: its certificate is refused from then on and its tasks are given up, in the transaction that removes it. */
import { X509Certificate } from 'node:crypto';
import { msOfDuration, timestampOfMs } from '../../common/time.ts';
import type { Cluster, Node, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole, NodeStatus_State, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import type { Reader, Writer } from '../store/transaction.ts';
import { clusterDefaults } from '../../common/cluster-defaults.ts';
import type { ControlDependencies, RaftMembers } from './dependencies.ts';
import { notFound } from './not-found.ts';
import { refused } from './validation/refusal.ts';

/** Tasks that fit into one transaction beside the rest; more are given up beforehand, in batches. */
const MAX_TASKS_AT_ONCE = 200;

/**
 * Throws notFound, or failedPrecondition for a manager and, unless `force`, for a node that is up.
 * A removal that fails half-way leaves a node some of whose tasks are given up; repeating it is safe.
 */
export async function removeNode(dependencies: ControlDependencies, nodeId: string, force: boolean): Promise<void> {
  const { store, members, clock } = dependencies;
  refuseRemoval(store.read, members, nodeId, force);
  const surplus = store.read.task.by('node', nodeId).slice(MAX_TASKS_AT_ONCE);
  await store.batch(surplus, (tx, { id }) => {
    const task = tx.task.get(id);
    if (task) orphan(tx, task, clock.now());
  });
  await store.update((tx) => {
    const node = refuseRemoval(tx, members, nodeId, force);
    for (const task of tx.task.by('node', nodeId)) orphan(tx, task, clock.now());
    const cluster = tx.cluster.all()[0];
    if (cluster) tx.cluster.update(withBlacklisted(cluster, node, clock.now()));
    tx.node.delete(nodeId);
  });
}

function refuseRemoval(reader: Reader, members: RaftMembers, nodeId: string, force: boolean): Node {
  const node = reader.node.get(nodeId);
  if (!node) throw notFound('node', nodeId);
  // A manager that the group lost for good is no member any more; one that is only about to join must be left alone.
  const isJoining = node.spec?.desiredRole === NodeRole.MANAGER && node.role !== NodeRole.MANAGER;
  if (isJoining || members.has(nodeId)) {
    throw refused(
      `node ${nodeId} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`,
    );
  }
  if (!force && node.status?.state === NodeStatus_State.READY) {
    throw refused(`node ${nodeId} is not down and can't be removed`);
  }
  return node;
}

function orphan(tx: Writer, task: Task, nowMs: number): void {
  if ((task.status?.state ?? TaskState.NEW) >= TaskState.COMPLETE) return;
  tx.task.update({
    ...task,
    status: {
      ...task.status,
      err: '',
      appliedBy: task.status?.appliedBy ?? '',
      timestamp: timestampOfMs(nowMs),
      state: TaskState.ORPHANED,
      message: 'Task belonged to a node that has been deleted',
    },
  });
}

/** Whether a node was removed, so that its certificate is refused. */
export function wasRemoved(reader: Reader, nodeId: string): boolean {
  const cluster = reader.cluster.all()[0];
  return cluster !== undefined && Object.hasOwn(cluster.blacklistedCertificates, nodeId);
}

/** Entries stay this long after the certificate would have expired anyway, in case clocks differ. */
const BLACKLIST_GRACE_MS = 7 * 24 * 3_600_000;

/** Adds the node's certificate to those that are refused and drops entries that no longer matter. */
function withBlacklisted(cluster: Cluster, node: Node, nowMs: number): Cluster {
  const kept = Object.entries(cluster.blacklistedCertificates).filter(
    ([, { expiry }]) => expiry === undefined || expiry.seconds * 1000 + BLACKLIST_GRACE_MS > nowMs,
  );
  return {
    ...cluster,
    blacklistedCertificates: Object.fromEntries([
      ...kept,
      [node.id, { expiry: certificateExpiry(cluster, node, nowMs) }],
    ]),
  };
}

/** When the node's certificate ends; if it cannot be read, as late as a certificate made now could. */
function certificateExpiry(cluster: Cluster, node: Node, nowMs: number): Timestamp {
  try {
    const expiryMs = Date.parse(new X509Certificate(node.certificate?.certificate ?? Buffer.alloc(0)).validTo);
    if (Number.isFinite(expiryMs)) return timestampOfMs(expiryMs);
  } catch {
    // Nodes of tests and half-made joins have no certificate.
  }
  const lifeMs = msOfDuration(cluster.spec?.caConfig?.nodeCertExpiry ?? clusterDefaults.nodeCertExpiry);
  return timestampOfMs(nowMs + lifeMs);
}

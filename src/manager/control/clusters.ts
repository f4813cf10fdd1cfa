/** The cluster object: settings, join tokens, the key that unlocks managers. There is exactly one. */
import { SwarmError } from '../../common/errors.ts';
import type { KeyRotation, UpdateClusterRequest } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { EncryptionKey, RootCA } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Writer } from '../store/transaction.ts';
import { redacted } from './cluster-view.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies } from './dependencies.ts';
import { candidates, matchesCommon } from './filters.ts';
import { notFound } from './not-found.ts';
import { requireAuthorities } from './root-authorities.ts';
import { isManagerKey, managerKey, unlockKeyOf } from '../../identity/unlock-key.ts';
import { validateClusterSpec } from './validation/cluster-spec.ts';
import { invalid } from './validation/refusal.ts';
import { refuseStaleVersion } from './versions.ts';

type ClusterCalls = Pick<ControlService, 'getCluster' | 'listClusters' | 'updateCluster' | 'getUnlockKey'>;

export function clusterCalls(dependencies: ControlDependencies): ClusterCalls {
  const { store } = dependencies;
  return {
    async getCluster({ clusterId }) {
      const cluster = store.read.cluster.get(clusterId);
      if (!cluster) throw notFound('cluster', clusterId);
      return { cluster: redacted(cluster) };
    },

    async listClusters({ filters }) {
      const clusters = candidates(filters, store.read.cluster).filter((cluster) =>
        matchesCommon(filters, {
          id: cluster.id,
          names: [cluster.spec?.annotations?.name ?? ''],
          labels: cluster.spec?.annotations?.labels,
        }),
      );
      return { clusters: clusters.map(redacted) };
    },

    async updateCluster(request) {
      await requireAuthorities(dependencies, request);
      const updated = await store.update((tx) => updateCluster(tx, request, dependencies));
      return { cluster: redacted(store.read.cluster.get(updated.id) ?? updated) };
    },

    async getUnlockKey() {
      const cluster = store.read.cluster.all()[0];
      if (!cluster)
        throw new SwarmError('unavailable', 'this manager has not caught up with the cluster yet: try again');
      return { unlockKey: unlockKeyOf(cluster) ?? Buffer.alloc(0), version: cluster.meta?.version };
    },
  };
}

function updateCluster(tx: Writer, request: UpdateClusterRequest, dependencies: ControlDependencies): Cluster {
  const { clusterId, clusterVersion, spec, rotation } = request;
  if (clusterId === '' || !clusterVersion) throw invalid('invalid argument: cluster id and version must be provided');
  const cluster = tx.cluster.get(clusterId);
  if (!cluster) throw notFound('cluster', clusterId);
  validateClusterSpec(spec, dependencies.clock.now());
  const next: Cluster = {
    ...cluster,
    // The certificate authority's loop sees a root that is brought, or a raised `forceRotate`, and replaces the present one.
    spec,
    rootCa: withNewTokens(cluster.rootCa, rotation, dependencies.newJoinToken),
    unlockKeys: unlockKeysFor(cluster, spec.encryptionConfig?.autoLockManagers ?? false, rotation, dependencies),
  };
  refuseStaleVersion('cluster', cluster, clusterVersion);
  tx.cluster.update(next);
  return next;
}

function withNewTokens(
  rootCa: RootCA | undefined,
  rotation: KeyRotation | undefined,
  newJoinToken: (rootBundle: string) => string,
): RootCA | undefined {
  if (!rootCa || !(rotation?.workerJoinToken || rotation?.managerJoinToken)) return rootCa;
  const bundle = Buffer.from(rootCa.caCert).toString('utf8');
  return {
    ...rootCa,
    joinTokens: {
      worker: rotation.workerJoinToken ? newJoinToken(bundle) : (rootCa.joinTokens?.worker ?? ''),
      manager: rotation.managerJoinToken ? newJoinToken(bundle) : (rootCa.joinTokens?.manager ?? ''),
    },
  };
}

/** Managers have a key exactly while they lock; it is made when locking is switched on and replaced on request. */
function unlockKeysFor(
  cluster: Cluster,
  locksManagers: boolean,
  rotation: KeyRotation | undefined,
  { newUnlockKey }: ControlDependencies,
): readonly EncryptionKey[] {
  const others = cluster.unlockKeys.filter((key) => !isManagerKey(key));
  if (!locksManagers) return others;
  const present = cluster.unlockKeys.find(isManagerKey);
  return [...others, present && !rotation?.managerUnlockKey ? present : managerKey(newUnlockKey())];
}

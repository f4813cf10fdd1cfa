/** The cluster as people may see it: without private keys. Join tokens stay, since whoever asks here is a manager. */
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { RootCA } from '../../proto/generated/docker/swarmkit/v1/types.ts';

const NOTHING = Buffer.alloc(0);

export function redacted(cluster: Cluster): Cluster {
  return {
    ...cluster,
    spec: cluster.spec && {
      ...cluster.spec,
      caConfig: cluster.spec.caConfig && { ...cluster.spec.caConfig, signingCaKey: NOTHING },
    },
    rootCa: cluster.rootCa && redactedRoot(cluster.rootCa),
    networkBootstrapKeys: [],
    encryptionKeyLamportClock: 0,
    unlockKeys: [],
  };
}

const redactedRoot = (rootCa: RootCA): RootCA => ({
  ...rootCa,
  caKey: NOTHING,
  rootRotation: rootCa.rootRotation && { ...rootCa.rootRotation, caKey: NOTHING },
});

/** The first objects of a new cluster: itself and the node that founds it. Pure: keys, ids and random bytes are arguments. */
import { Cluster, Network, Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  ClusterSpec,
  NodeSpec_Availability,
  NodeSpec_Membership,
} from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  EncryptionKey_Algorithm,
  type EncryptionKey,
  IssuanceStatus_State,
  NodeRole,
  type JoinTokens,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { clusterDefaults } from '../../common/cluster-defaults.ts';
import type { IdSource } from '../../common/ids.ts';
import { NODE_LOCAL_DRIVERS, PREDEFINED_LABEL } from '../placement/node-local-network.ts';
import { rootHash } from '../../identity/root-hash.ts';
import { managerKey } from '../../identity/unlock-key.ts';
import { requireNamedAuthority } from './root-authorities.ts';
import { validateClusterSpec } from './validation/cluster-spec.ts';
import { validNetworkSettings, type NetworkSettings } from './validation/network-settings.ts';

export interface ClusterBootstrap extends NetworkSettings {
  readonly clusterId: string;
  /** Root certificate bundle and its private key, PEM. */
  readonly root: { readonly certificate: string; readonly key: string };
  readonly joinTokens: JoinTokens;
  readonly nowMs: number;
  /** Settings asked for; whatever is left out gets Docker's default. */
  readonly spec?: Partial<ClusterSpec> | undefined;
  /** Locks managers from the start when the spec asks for it; 32 bytes. */
  readonly newUnlockKey: () => Uint8Array;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Throws invalidArgument when a setting is not acceptable. */
export function newCluster(bootstrap: ClusterBootstrap): Cluster {
  const { root, randomBytes } = bootstrap;
  const spec = specWithDefaults(bootstrap.spec);
  validateClusterSpec(spec, bootstrap.nowMs);
  if (spec.caConfig) requireNamedAuthority(spec.caConfig, root.certificate);
  const network = validNetworkSettings(bootstrap);
  const clock = 1 + ((randomBytes(2)[0] ?? 0) << 8);
  const networkBootstrapKeys = networkKeys(clock, randomBytes);
  const unlockKeys = spec.encryptionConfig?.autoLockManagers ? [managerKey(bootstrap.newUnlockKey())] : [];
  const cluster = Cluster.fromPartial({
    id: bootstrap.clusterId,
    spec,
    rootCa: {
      caCert: Buffer.from(root.certificate),
      caKey: Buffer.from(root.key),
      caCertHash: rootHash(root.certificate),
      joinTokens: bootstrap.joinTokens,
      lastForcedRotation: spec.caConfig?.forceRotate ?? 0,
    },
    encryptionKeyLamportClock: clock + networkBootstrapKeys.length,
    ...network,
  });
  return { ...cluster, networkBootstrapKeys, unlockKeys };
}

/** Docker's init leaves out what it does not set; numbers left at zero count as left out. */
function specWithDefaults(given: Partial<ClusterSpec> = {}): ClusterSpec {
  const { raft } = clusterDefaults;
  return ClusterSpec.fromPartial({
    ...given,
    annotations: given.annotations?.name
      ? given.annotations
      : { name: clusterDefaults.name, labels: given.annotations?.labels ?? {} },
    orchestration: given.orchestration ?? { taskHistoryRetentionLimit: clusterDefaults.taskHistoryRetentionLimit },
    raft: {
      ...raft,
      logEntriesForSlowFollowers: given.raft?.logEntriesForSlowFollowers || raft.logEntriesForSlowFollowers,
      snapshotInterval: given.raft?.snapshotInterval || raft.snapshotInterval,
      keepOldSnapshots: given.raft?.keepOldSnapshots ?? raft.keepOldSnapshots,
      heartbeatTick: given.raft?.heartbeatTick || raft.heartbeatTick,
      electionTick: given.raft?.electionTick || raft.electionTick,
    },
    dispatcher: { heartbeatPeriod: given.dispatcher?.heartbeatPeriod ?? clusterDefaults.heartbeatPeriod },
    caConfig: { ...given.caConfig, nodeCertExpiry: given.caConfig?.nodeCertExpiry ?? clusterDefaults.nodeCertExpiry },
    taskDefaults: given.taskDefaults ?? {},
    encryptionConfig: given.encryptionConfig ?? { autoLockManagers: false },
  });
}

const NETWORK_SUBSYSTEMS = ['networking:gossip', 'networking:ipsec'] as const;
const NETWORK_KEYS_PER_SUBSYSTEM = 3;
const NETWORK_KEY_BYTES = 16;

/** Engines encrypt their gossip and, where asked, overlay traffic with these. One clock numbers all keys. */
const networkKeys = (clock: number, randomBytes: (count: number) => Uint8Array): readonly EncryptionKey[] =>
  NETWORK_SUBSYSTEMS.flatMap((subsystem, i) =>
    Array.from({ length: NETWORK_KEYS_PER_SUBSYSTEM }, (_, n) => ({
      subsystem,
      algorithm: EncryptionKey_Algorithm.AES_128_GCM,
      key: Buffer.from(randomBytes(NETWORK_KEY_BYTES)),
      lamportTime: clock + i * NETWORK_KEYS_PER_SUBSYSTEM + n,
    })),
  );

/**
 * Networks every engine has of its own, as objects that services can refer to. Their tasks get no addresses from us.
 */
export const predefinedNetworks = (newId: IdSource): readonly Network[] =>
  NODE_LOCAL_DRIVERS.map((name) =>
    Network.fromPartial({
      id: newId(),
      spec: { annotations: { name, labels: { [PREDEFINED_LABEL]: 'true' } }, driverConfig: { name } },
      driverState: { name },
      ipam: { driver: {} },
    }),
  );

export interface NodeBootstrap {
  readonly nodeId: string;
  /** The founder's own certificate chain and the request it was made from, PEM. */
  readonly certificate: string;
  readonly csr: string;
  readonly availability?: NodeSpec_Availability | undefined;
}

/** The network of the routing mesh; the allocator gives it its addresses. */
export const ingressNetwork = (newId: IdSource): Network =>
  Network.fromPartial({
    id: newId(),
    spec: { annotations: { name: 'ingress' }, driverConfig: {}, ipam: {}, ingress: true },
  });

/** The founding manager. */
export const newManagerNode = ({ nodeId, certificate, csr, availability }: NodeBootstrap): Node =>
  Node.fromPartial({
    id: nodeId,
    spec: {
      annotations: {},
      desiredRole: NodeRole.MANAGER,
      membership: NodeSpec_Membership.ACCEPTED,
      availability: availability ?? NodeSpec_Availability.ACTIVE,
    },
    role: NodeRole.MANAGER,
    certificate: {
      role: NodeRole.MANAGER,
      cn: nodeId,
      csr: Buffer.from(csr),
      certificate: Buffer.from(certificate),
      status: { state: IssuanceStatus_State.ISSUED },
    },
  });

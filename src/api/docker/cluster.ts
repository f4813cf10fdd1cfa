/** The swarm itself: `GET /swarm`, the Swarm block of `GET /info`, and its settings as people change them. */
import {
  ExternalCA_CAProtocol as CAProtocol,
  type CAConfig,
  type ExternalCA,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { ClusterSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { normalisedPem } from '../../common/pem.ts';
import { badRequest } from '../http-error.ts';
import type { IssuerOf } from '../ports.ts';
import {
  flag,
  int64,
  list,
  nanoseconds,
  struct,
  text,
  textMap,
  uint32,
  uint64,
  type Decoded,
} from '../json/decoder.ts';
import { annotationFields, annotationsToDocker, driver, driverToDocker, driverToProto } from './common.ts';
import { durationToDocker, enumWords, metaToDocker, nonEmpty, nonZeroDuration } from './values.ts';

const caProtocols = enumWords<CAProtocol>(CAProtocol);

/** Name of the one cluster every swarm has. */
const CLUSTER_NAME = 'default';

const externalCa = struct('swarm.ExternalCA', { Protocol: text, URL: text, Options: textMap, CACert: text });
const caConfig = struct('swarm.CAConfig', {
  NodeCertExpiry: nanoseconds,
  ExternalCAs: list(externalCa),
  SigningCACert: text,
  SigningCAKey: text,
  ForceRotate: uint64,
});

export const swarmSpec = struct('swarm.Spec', {
  ...annotationFields,
  Orchestration: struct('swarm.OrchestrationConfig', { TaskHistoryRetentionLimit: int64 }),
  Raft: struct('swarm.RaftConfig', {
    SnapshotInterval: uint64,
    KeepOldSnapshots: uint64,
    LogEntriesForSlowFollowers: uint64,
    ElectionTick: uint32,
    HeartbeatTick: uint32,
  }),
  Dispatcher: struct('swarm.DispatcherConfig', { HeartbeatPeriod: nanoseconds }),
  CAConfig: caConfig,
  TaskDefaults: struct('swarm.TaskDefaults', { LogDriver: driver }),
  EncryptionConfig: struct('swarm.EncryptionConfig', { AutoLockManagers: flag }),
});
export type DockerSwarmSpec = Decoded<typeof swarmSpec>;

/** Puts what was said over `base`; what is zero or absent stays as it is. Throws badRequest. */
export function mergeSwarmSpec(docker: DockerSwarmSpec, base: ClusterSpec): ClusterSpec {
  if (docker.Name && docker.Name !== CLUSTER_NAME) throw badRequest(`swarm spec must be named "${CLUSTER_NAME}"`);
  const { Raft: raft, Orchestration: orchestration, Dispatcher: dispatcher } = docker;
  const oldRaft = base.raft;
  return {
    ...base,
    annotations: { name: CLUSTER_NAME, labels: docker.Labels ?? base.annotations?.labels ?? {}, indices: [] },
    orchestration:
      orchestration?.TaskHistoryRetentionLimit === undefined
        ? base.orchestration
        : { taskHistoryRetentionLimit: orchestration.TaskHistoryRetentionLimit },
    raft: {
      snapshotInterval: raft?.SnapshotInterval || (oldRaft?.snapshotInterval ?? 0),
      keepOldSnapshots: raft?.KeepOldSnapshots ?? oldRaft?.keepOldSnapshots ?? 0,
      logEntriesForSlowFollowers: raft?.LogEntriesForSlowFollowers || (oldRaft?.logEntriesForSlowFollowers ?? 0),
      electionTick: raft?.ElectionTick || (oldRaft?.electionTick ?? 0),
      heartbeatTick: raft?.HeartbeatTick || (oldRaft?.heartbeatTick ?? 0),
    },
    dispatcher: dispatcher?.HeartbeatPeriod
      ? { heartbeatPeriod: nonZeroDuration(dispatcher.HeartbeatPeriod) }
      : base.dispatcher,
    caConfig: mergeCaConfig(docker.CAConfig ?? {}, base.caConfig),
    taskDefaults: docker.TaskDefaults?.LogDriver
      ? { logDriver: driverToProto(docker.TaskDefaults.LogDriver) }
      : base.taskDefaults,
    encryptionConfig:
      docker.EncryptionConfig?.AutoLockManagers === undefined
        ? base.encryptionConfig
        : { autoLockManagers: docker.EncryptionConfig.AutoLockManagers },
  };
}

const mergeCaConfig = (docker: Decoded<typeof caConfig>, base: CAConfig | undefined): CAConfig => ({
  nodeCertExpiry: nonZeroDuration(docker.NodeCertExpiry) ?? base?.nodeCertExpiry,
  externalCas: docker.ExternalCAs ? docker.ExternalCAs.map(externalCaToProto) : (base?.externalCas ?? []),
  // Never shown, so a client that sends the settings back cannot mean them again.
  signingCaCert: Buffer.from(docker.SigningCACert ?? ''),
  signingCaKey: Buffer.from(docker.SigningCAKey ?? ''),
  forceRotate: docker.ForceRotate ?? base?.forceRotate ?? 0,
});

function externalCaToProto(docker: Decoded<typeof externalCa>): ExternalCA {
  const protocol = caProtocols.find(docker.Protocol?.toLowerCase());
  if (protocol === undefined) throw badRequest(`invalid protocol: "${docker.Protocol ?? ''}"`);
  return {
    protocol,
    url: docker.URL ?? '',
    options: docker.Options ?? {},
    caCert: Buffer.from(docker.CACert ?? ''),
  };
}

/** Without the join tokens: anyone who may read `docker info` sees this. */
export function clusterToDocker(cluster: Cluster, issuerOf: IssuerOf): object {
  return {
    ID: cluster.id,
    ...metaToDocker(cluster.meta),
    Spec: cluster.spec ? swarmSpecToDocker(cluster.spec) : {},
    TLSInfo: tlsInfoOf(cluster.rootCa?.caCert, issuerOf),
    RootRotationInProgress: isRootRotating(cluster),
    DefaultAddrPool: nonEmpty(cluster.defaultAddressPool) ?? null,
    SubnetSize: cluster.subnetSize,
    DataPathPort: cluster.VXLANUDPPort,
  };
}

/** Also when it was asked for a moment ago: clients that wait for its end must not find it before its beginning. */
function isRootRotating({ rootCa, spec }: Cluster): boolean {
  const { forceRotate = 0, signingCaCert = Buffer.alloc(0) } = spec?.caConfig ?? {};
  if (rootCa?.rootRotation !== undefined || forceRotate > (rootCa?.lastForcedRotation ?? 0)) return true;
  const brought = normalisedPem(Buffer.from(signingCaCert).toString());
  return brought !== '' && brought !== normalisedPem(Buffer.from(rootCa?.caCert ?? '').toString());
}

export const joinTokensToDocker = (cluster: Cluster): object => ({
  Worker: cluster.rootCa?.joinTokens?.worker ?? '',
  Manager: cluster.rootCa?.joinTokens?.manager ?? '',
});

const swarmSpecToDocker = (spec: ClusterSpec): object => ({
  ...annotationsToDocker(spec.annotations),
  Orchestration: { TaskHistoryRetentionLimit: spec.orchestration?.taskHistoryRetentionLimit },
  Raft: {
    SnapshotInterval: nonEmpty(spec.raft?.snapshotInterval),
    KeepOldSnapshots: spec.raft?.keepOldSnapshots ?? 0,
    LogEntriesForSlowFollowers: nonEmpty(spec.raft?.logEntriesForSlowFollowers),
    ElectionTick: spec.raft?.electionTick ?? 0,
    HeartbeatTick: spec.raft?.heartbeatTick ?? 0,
  },
  Dispatcher: {
    HeartbeatPeriod: spec.dispatcher?.heartbeatPeriod && nonEmpty(durationToDocker(spec.dispatcher.heartbeatPeriod)),
  },
  CAConfig: spec.caConfig ? caConfigToDocker(spec.caConfig) : {},
  TaskDefaults: { LogDriver: spec.taskDefaults?.logDriver && driverToDocker(spec.taskDefaults.logDriver) },
  EncryptionConfig: { AutoLockManagers: spec.encryptionConfig?.autoLockManagers ?? false },
});

/** Certificate and key of a root that was brought go in but never come out. */
const caConfigToDocker = (config: CAConfig): object => ({
  NodeCertExpiry: config.nodeCertExpiry && nonEmpty(durationToDocker(config.nodeCertExpiry)),
  ExternalCAs: nonEmpty(
    config.externalCas.map((ca) => ({
      Protocol: caProtocols.word(ca.protocol),
      URL: ca.url,
      Options: nonEmpty(ca.options),
      CACert: Buffer.from(ca.caCert).toString(),
    })),
  ),
  ForceRotate: nonEmpty(config.forceRotate),
});

/** Who signs the nodes' certificates, as nodes tell it of theirs, so that the two can be compared. */
function tlsInfoOf(caCert: Uint8Array | undefined, issuerOf: IssuerOf): object {
  const trustRoot = Buffer.from(caCert ?? []).toString();
  if (trustRoot === '') return {};
  const issuer = issuerOf(trustRoot);
  return {
    TrustRoot: trustRoot,
    CertIssuerSubject: issuer.subject.toString('base64'),
    CertIssuerPublicKey: issuer.publicKey.toString('base64'),
  };
}

/** What a new swarm begins with: its root, its first objects and the certificate of its first manager. */
import { randomBytes } from 'node:crypto';
import type { InitSwarmRequest } from '../api/ports.ts';
import { newId } from '../common/ids.ts';
import { msOfDuration } from '../common/time.ts';
import { createRootCa, createSigningRequest, signNodeCertificate } from '../identity/certificate.ts';
import { newJoinToken } from '../identity/join-token.ts';
import type { Entry } from '../manager/manager-options.ts';
import { ClusterSpec } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import type { DaemonOptions } from './options.ts';

/** Node certificates live 90 days unless the cluster says otherwise. */
export const DEFAULT_NODE_LIFE_MS = 90 * 24 * 3_600_000;

export interface Foundation {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly rootBundle: string;
  readonly credentials: { readonly certificate: string; readonly key: string };
  readonly entry: Extract<Entry, { readonly kind: 'found' }>;
}

/** @param nowMs when the certificates begin to be valid */
export async function newFoundation(
  request: InitSwarmRequest,
  settings: DaemonOptions,
  nowMs: number,
): Promise<Foundation> {
  const { newCluster, newManagerNode } = await import('../manager/control/bootstrap.ts');
  const root = await createRootCa(nowMs);
  const clusterId = newId();
  const nodeId = newId();
  const cluster = newCluster({
    clusterId,
    nowMs,
    root,
    joinTokens: { worker: newJoinToken(root.certificate), manager: newJoinToken(root.certificate) },
    spec: request.clusterSpec(clusterDefaults(settings)),
    addressPool: request.defaultAddressPool,
    subnetSize: request.subnetSize,
    dataPathPort: request.dataPathPort,
    newUnlockKey: () => randomBytes(32),
    randomBytes,
  });
  const expiry = cluster.spec?.caConfig?.nodeCertExpiry;
  const { csr, key } = await createSigningRequest();
  const certificate = await signNodeCertificate(csr, { nodeId, role: 'manager', clusterId }, root, {
    nowMs,
    lifeMs: expiry ? msOfDuration(expiry) : DEFAULT_NODE_LIFE_MS,
  });
  return {
    clusterId,
    nodeId,
    rootBundle: root.certificate,
    credentials: { certificate, key },
    entry: {
      kind: 'found',
      raftId: (randomBytes(8).readBigUInt64BE() >> 1n).toString(),
      cluster,
      node: newManagerNode({ nodeId, certificate, csr, availability: request.availability }),
    },
  };
}

/** What the settings of the founding daemon say about the swarm; the request may say otherwise. */
const clusterDefaults = ({ strategy, heartbeatMs }: DaemonOptions): ClusterSpec =>
  ClusterSpec.fromPartial({
    annotations: { name: 'default', labels: strategy ? { 'swarmd.strategy': strategy } : {} },
    ...(heartbeatMs === undefined
      ? {}
      : {
          dispatcher: {
            heartbeatPeriod: { seconds: Math.trunc(heartbeatMs / 1000), nanos: (heartbeatMs % 1000) * 1e6 },
          },
        }),
  });

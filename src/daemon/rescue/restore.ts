/**
 * `swarmd restore`: makes a state folder from a backup. Started from it, a manager leads the same cluster alone: same id, same
 * authority, same objects. It takes the place, node id included, of the manager that made the backup.
 */
import { randomBytes } from 'node:crypto';
import { SwarmError } from '../../common/errors.ts';
import { msOfDuration } from '../../common/time.ts';
import { createSigningRequest, signNodeCertificate } from '../../identity/certificate.ts';
import { Keyring } from '../../identity/keyring.ts';
import { NodeIdentity } from '../../identity/node-identity.ts';
import { signerOf } from '../../manager/ca/signer.ts';
import { beginLog } from '../../manager/consensus/offline-log.ts';
import { unlockKeyOf } from '../../identity/unlock-key.ts';
import { decodeSnapshot } from '../../manager/store/snapshot.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { parseHostPort } from '../addresses.ts';
import { DEFAULT_NODE_LIFE_MS } from '../founding.ts';
import { StateFolder } from '../state-folder.ts';
import { readBackup, type Backup } from './backup-file.ts';

export interface RestoreOptions {
  readonly from: string;
  readonly dataDir: string;
  readonly passphrase: string | undefined;
  /** Where the manager is to listen and be reached; as the one that made the backup unless given. */
  readonly listenAddr: string | undefined;
  readonly advertiseAddr: string | undefined;
  readonly nowMs: number;
}

export interface Restored {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly listenAddr: string;
  readonly services: number;
  /** The managers of this cluster are locked: the restored one starts locked under the key of the backup's day. */
  readonly isLocked: boolean;
}

/** Throws failedPrecondition when the folder is in use or not empty, or the backup lacks the authority's key. */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const backup = await readBackup(options.from, options.passphrase);
  const folder = await StateFolder.open(options.dataDir);
  try {
    if ((await folder.readRecord()) !== undefined)
      throw new SwarmError(
        'failedPrecondition',
        `${options.dataDir} belongs to a member of a swarm already: choose an empty folder with --data-dir`,
      );
    return await fill(folder, backup, options);
  } finally {
    folder.release();
  }
}

async function fill(folder: StateFolder, backup: Backup, options: RestoreOptions): Promise<Restored> {
  const { head } = backup;
  const { state, membership } = decodeSnapshot(backup.state);
  const cluster = state.objects.cluster[0];
  if (!cluster || cluster.id !== head.clusterId)
    throw new SwarmError('dataLoss', `${options.from} holds no state of cluster ${head.clusterId}`);
  const unlockKey = unlockKeyOf(cluster);
  // Until the last step a crash leaves a folder that counts as empty.
  await folder.beginFounding();
  const keyring = await Keyring.create(folder.keys);
  if (unlockKey) await keyring.lock(unlockKey);
  const credentials = await credentialsFor(cluster, head.nodeId, options.nowMs);
  const identity = await NodeIdentity.create(folder.certificates, credentials.rootBundle, credentials);
  await identity.encryptWith(keyring.passphrase);
  const raftId = (randomBytes(8).readBigUInt64BE() >> 1n).toString();
  const removed = [...membership.removed, ...membership.members.map((member) => member.raftId)];
  await beginLog({ directory: folder.raft, clusterId: cluster.id, raftId, keys: keyring.log }, state, head.term, {
    local: { raftId, nodeId: head.nodeId, address: head.address },
    removed,
  });
  const { host, port } = parseHostPort(head.address);
  const listenAddr = options.listenAddr ?? `0.0.0.0:${port}`;
  const advertiseAddr = options.advertiseAddr ?? host;
  await folder.writeRecord({
    clusterId: cluster.id,
    nodeId: head.nodeId,
    listenAddr,
    advertiseAddr,
    raftId,
    managers: [],
  });
  await folder.finishFounding();
  const { clusterId, nodeId } = head;
  return { clusterId, nodeId, listenAddr, services: state.objects.service.length, isLocked: unlockKey !== undefined };
}

/** A fresh certificate from the authority in the backup. */
async function credentialsFor(
  cluster: Cluster,
  nodeId: string,
  nowMs: number,
): Promise<{ readonly rootBundle: string; readonly certificate: string; readonly key: string }> {
  const { csr, key } = await createSigningRequest();
  const expiry = cluster.spec?.caConfig?.nodeCertExpiry;
  const lifeMs = expiry ? msOfDuration(expiry) : DEFAULT_NODE_LIFE_MS;
  const subject = { nodeId, role: 'manager', clusterId: cluster.id } as const;
  const certificate = await signNodeCertificate(csr, subject, signerOf(cluster), { nowMs, lifeMs });
  return { rootBundle: cluster.rootCa?.caCert.toString('utf8') ?? '', certificate, key };
}

/** The key among a cluster's keys that locks its managers. */
import type { Cluster } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import { EncryptionKey, EncryptionKey_Algorithm } from '../proto/generated/docker/swarmkit/v1/types.ts';

const SUBSYSTEM = 'swarm-manager';

/** undefined while the managers are not locked. */
export const unlockKeyOf = ({ unlockKeys }: Pick<Cluster, 'unlockKeys'>): Buffer | undefined =>
  unlockKeys.find(isManagerKey)?.key;

export const isManagerKey = ({ subsystem }: EncryptionKey): boolean => subsystem === SUBSYSTEM;

/** The entry of a cluster's unlock keys that locks managers. */
export const managerKey = (key: Uint8Array): EncryptionKey =>
  EncryptionKey.fromPartial({
    subsystem: SUBSYSTEM,
    algorithm: EncryptionKey_Algorithm.AES_128_GCM,
    key: Buffer.from(key),
  });

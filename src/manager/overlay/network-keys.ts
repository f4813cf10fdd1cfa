/**
 * The keys engines encrypt their gossip and, where asked, overlay traffic with. Each subsystem has three: engines read with
 * all and write with the second newest, so a key is known everywhere before it is used. The oldest is replaced from time to time.
 */
import { sleep, type Clock } from '../../common/clock.ts';
import { EncryptionKey_Algorithm, type EncryptionKey } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Store } from '../store/store.ts';

const KEY_BYTES = 16;
/** As in Docker Swarm, in ms. */
const ROTATION_MS = 12 * 3_600_000;

export interface NetworkKeysOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  /** @default 12 h */
  readonly rotationMs?: number;
}

export class NetworkKeys {
  readonly #options: NetworkKeysOptions;

  constructor(options: NetworkKeysOptions) {
    this.#options = options;
  }

  /** Replaces keys until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, randomBytes, rotationMs = ROTATION_MS } = this.#options;
    for (;;) {
      await sleep(clock, rotationMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await store.update((tx) => {
        for (const cluster of tx.cluster.all()) tx.cluster.update(withNewKeys(cluster, randomBytes));
      });
    }
  }
}

/** The cluster with the oldest key of each subsystem replaced by a new one. One clock numbers all keys. */
export function withNewKeys(cluster: Cluster, randomBytes: (count: number) => Uint8Array): Cluster {
  let clock = cluster.encryptionKeyLamportClock;
  const keys: EncryptionKey[] = [];
  for (const subsystem of new Set(cluster.networkBootstrapKeys.map((key) => key.subsystem))) {
    const own = cluster.networkBootstrapKeys
      .filter((key) => key.subsystem === subsystem)
      .toSorted((a, b) => a.lamportTime - b.lamportTime);
    const fresh: EncryptionKey = {
      subsystem,
      algorithm: EncryptionKey_Algorithm.AES_128_GCM,
      key: Buffer.from(randomBytes(KEY_BYTES)),
      lamportTime: ++clock,
    };
    keys.push(...own.slice(1), fresh);
  }
  return { ...cluster, networkBootstrapKeys: keys, encryptionKeyLamportClock: clock };
}

/**
 * Replaces the root certificate without cutting anybody off. While a rotation is under way every node is asked, a batch at
 * a time, to renew; new certificates are signed by the new root and carry its cross-signed twin, so both old and new roots
 * accept them. When no node is left with an old certificate, the new root takes over and both join tokens are reissued.
 */
import { sleep, type Clock } from '../../common/clock.ts';
import { errorText, SwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import { chainsTo, createRootCa, crossSign } from '../../identity/certificate.ts';
import { newJoinToken, rootDigest } from '../../identity/join-token.ts';
import type { Cluster, Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { IssuanceStatus_State } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';

/** Nodes asked to renew at a time, and how long to wait between batches in ms. */
const BATCH_NODES = 30;
const BATCH_PAUSE_MS = 3_000;

export interface RootRotationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Begins a rotation to a fresh root. Throws failedPrecondition while one is under way. */
async function beginRootRotation({ store, clock }: RootRotationOptions): Promise<void> {
  const cluster = store.read.cluster.all()[0];
  if (!cluster?.rootCa) throw new SwarmError('unavailable', 'this manager has not caught up with the cluster yet');
  const oldRoot = { certificate: cluster.rootCa.caCert.toString('utf8'), key: cluster.rootCa.caKey.toString('utf8') };
  const root = await createRootCa(clock.now());
  const twin = await crossSign(root.certificate, oldRoot, clock.now());
  await store.update((tx) => {
    const current = tx.cluster.get(cluster.id);
    if (!current?.rootCa) throw new SwarmError('notFound', 'cluster not found');
    if (current.rootCa.rootRotation) {
      throw new SwarmError(
        'failedPrecondition',
        'a rotation of the root certificate is already under way: wait until it has finished',
      );
    }
    const rootRotation = {
      caCert: Buffer.from(root.certificate),
      caKey: Buffer.from(root.key),
      crossSignedCaCert: Buffer.from(twin),
    };
    tx.cluster.update({
      ...current,
      rootCa: { ...current.rootCa, rootRotation, lastForcedRotation: current.spec?.caConfig?.forceRotate ?? 0 },
    });
  });
}

/** The leader's loop that carries a rotation through. */
export class RootRotation {
  readonly #options: RootRotationOptions;

  constructor(options: RootRotationOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#options;
    const [, watch] = store.readAndWatch(() => undefined, { kinds: ['cluster', 'node'], signal });
    try {
      for (;;) {
        try {
          const isWorking = await this.#step();
          if (isWorking) {
            await sleep(clock, BATCH_PAUSE_MS, signal);
            watch.take();
          } else if ((await watch.next()).length === 0) return;
        } catch (error) {
          if (signal.aborted) return;
          log.warn({ error: errorText(error) }, 'rotation of the root certificate failed, trying again');
          await sleep(clock, BATCH_PAUSE_MS, signal);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      watch.close();
    }
  }

  /** One batch; false when no rotation is under way. */
  async #step(): Promise<boolean> {
    const { store, clock, log } = this.#options;
    const cluster = store.read.cluster.all()[0];
    if (!cluster?.rootCa) return false;
    const wanted = cluster.spec?.caConfig?.forceRotate ?? 0;
    if (!cluster.rootCa.rootRotation) {
      if (wanted <= cluster.rootCa.lastForcedRotation) return false;
      await beginRootRotation({ store, clock, log });
      return this.#step();
    }
    const stale = staleNodes(store.read.node.all(), cluster.rootCa.rootRotation.caCert.toString('utf8'));
    if (stale.length === 0) {
      await this.#finish(cluster);
      log.info('the root certificate was rotated');
      return false;
    }
    const toAsk = stale
      .filter((node) => node.certificate?.status?.state !== IssuanceStatus_State.ROTATE)
      .slice(0, BATCH_NODES);
    await store.batch(toAsk, (tx, { id }) => {
      const node = tx.node.get(id);
      if (!node?.certificate) return;
      tx.node.update({
        ...node,
        certificate: { ...node.certificate, status: { state: IssuanceStatus_State.ROTATE, err: '' } },
      });
    });
    return true;
  }

  async #finish(cluster: Cluster): Promise<void> {
    await this.#options.store.update((tx) => {
      const current = tx.cluster.get(cluster.id);
      const rotation = current?.rootCa?.rootRotation;
      if (!current?.rootCa || !rotation) return;
      const bundle = rotation.caCert.toString('utf8');
      tx.cluster.update({
        ...current,
        rootCa: {
          ...current.rootCa,
          caCert: rotation.caCert,
          caKey: rotation.caKey,
          caCertHash: rootDigest(bundle),
          joinTokens: { worker: newJoinToken(bundle), manager: newJoinToken(bundle) },
          rootRotation: undefined,
        },
      });
    });
  }
}

/** Nodes whose certificate the new root alone would not accept. Nodes that never got one cannot be cut off. */
const staleNodes = (nodes: readonly Node[], newRoot: string): readonly Node[] =>
  nodes.filter((node) => {
    const chain = node.certificate?.certificate;
    return chain !== undefined && chain.length > 0 && !chainsTo(chain.toString('utf8'), newRoot);
  });

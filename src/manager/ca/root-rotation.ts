/**
 * Replaces the root certificate without cutting anybody off. While a rotation is under way every node is told to trust both
 * roots and asked, a batch at a time, to renew; new certificates are signed by the new root and carry its cross-signed twin, so
 * both old and new roots accept them. When every node says that it trusts the new root and uses such a certificate, the new
 * root takes over and both join tokens are reissued. That a certificate was made out to it is not enough: until the node has
 * it in use, nodes that trust the new root alone would refuse it; and until it trusts the new root, it would refuse them.
 * A node that nobody has ever seen is waited for, since it may know the old root only, but not for ever: most likely the answer
 * to its join was lost and it joined again, as another. Should it come after all, it has to join anew.
 * A manager of the group is waited for as long as it takes: what it trusts only its agent says.
 * The key of either root may be kept outside of the swarm: then an authority there signs with it (external-authority.ts).
 */
import { sleep, type Clock } from '../../common/clock.ts';
import { errorText, SwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import { normalisedPem } from '../../common/pem.ts';
import type { KeyPair } from '../../identity/certificate.ts';
import { authoritiesFor } from '../../identity/external-cas.ts';
import type { Pki } from '../../identity/pki.ts';
import { rootHash } from '../../identity/root-hash.ts';
import type { Cluster, Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { IssuanceStatus_State } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';
import type { ExternalAuthorities } from './external-authority.ts';

/** Nodes asked to renew at a time, and how long to wait between batches in ms. */
const BATCH_NODES = 30;
const BATCH_PAUSE_MS = 3_000;
/** How long a node may take to say that it uses its new certificate before it is asked to renew once more, in ms. */
const ASK_AGAIN_MS = 60_000;
/** How long a rotation waits for a node that was admitted and has never been seen, in ms. Who joins comes within seconds. */
const NEVER_SEEN_MS = 10 * 60_000;

export interface RootRotationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly pki: Pki;
  readonly external: ExternalAuthorities;
  readonly log: Logger;
}

const NOTHING = Buffer.alloc(0);

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? NOTHING).toString('utf8');

/**
 * The root that people brought with their settings; undefined when the managers are to make their own. Its key is empty when it is kept
 * outside, which counts only as long as an authority is named that signs with it.
 */
function broughtRoot({ spec, rootCa }: Cluster): KeyPair | undefined {
  const { signingCaCert = NOTHING, signingCaKey = NOTHING, externalCas = [] } = spec?.caConfig ?? {};
  const certificate = normalisedPem(text(signingCaCert));
  const isSignedFor =
    signingCaKey.length > 0 || authoritiesFor(externalCas, certificate, text(rootCa?.caCert)).length > 0;
  return certificate === '' || !isSignedFor ? undefined : { certificate: `${certificate}\n`, key: text(signingCaKey) };
}

const isSameRoot = (one: Buffer | undefined, { certificate }: KeyPair): boolean =>
  normalisedPem(text(one)) === normalisedPem(certificate);

/**
 * Begins a rotation to the root that was brought, or a fresh one; from the one under way, too. Throws failedPrecondition if that is not
 * the one it was meanwhile, and unavailable if an authority outside has to certify the new root and does not.
 */
async function beginRootRotation({ store, clock, pki, external }: RootRotationOptions): Promise<void> {
  const cluster = store.read.cluster.all()[0];
  if (!cluster?.rootCa) throw new SwarmError('unavailable', 'this manager has not caught up with the cluster yet');
  const { rootRotation: before } = cluster.rootCa;
  const oldRoot = { certificate: text(cluster.rootCa.caCert), key: text(cluster.rootCa.caKey) };
  const root = broughtRoot(cluster) ?? (await pki.createRootCa(clock.now()));
  const theirs = authoritiesFor(cluster.spec?.caConfig?.externalCas ?? [], oldRoot.certificate, oldRoot.certificate);
  const twin =
    oldRoot.key === ''
      ? await external.crossSign(theirs, root, oldRoot.certificate)
      : await pki.crossSign(root.certificate, oldRoot, clock.now());
  await store.update((tx) => {
    const current = tx.cluster.get(cluster.id);
    if (!current?.rootCa) throw new SwarmError('notFound', 'cluster not found');
    if (text(current.rootCa.rootRotation?.caCert) !== text(before?.caCert))
      throw new SwarmError('failedPrecondition', 'another rotation of the root certificate has begun meanwhile');
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
  /** When nodes were asked, by node id, in monotonic ms. */
  readonly #askedAt = new Map<string, number>();
  /** Since when this leader knows of nodes that nobody has seen, by node id, in monotonic ms. */
  #missedSince: ReadonlyMap<string, number> = new Map();

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
    await this.#settleAim();
    const cluster = this.#options.store.read.cluster.all()[0];
    const rotation = cluster?.rootCa?.rootRotation;
    return cluster && rotation ? this.#carryOn(cluster, text(rotation.caCert)) : false;
  }

  /** Begins, replaces or calls off a rotation as the settings ask for it. */
  async #settleAim(): Promise<void> {
    const cluster = this.#options.store.read.cluster.all()[0];
    if (!cluster?.rootCa) return;
    const { rootRotation, lastForcedRotation } = cluster.rootCa;
    const wanted = cluster.spec?.caConfig?.forceRotate ?? 0;
    const brought = broughtRoot(cluster);
    if (!brought) {
      // A fresh root that is asked for follows what is under way, what is brought takes its place.
      if (!rootRotation && wanted > lastForcedRotation) await beginRootRotation(this.#options);
    } else if (isSameRoot(cluster.rootCa.caCert, brought)) await this.#stayWith(cluster, brought.key, wanted);
    else if (!rootRotation || !isSameRoot(rootRotation.caCert, brought)) await beginRootRotation(this.#options);
    else if (text(rootRotation.caKey) !== brought.key) await this.#takeKey(cluster, brought.key);
  }

  /** Asks the next batch of nodes to renew, or ends the rotation; false when it has ended. */
  async #carryOn(cluster: Cluster, newRoot: string): Promise<boolean> {
    const { store, clock, log, pki } = this.#options;
    const nodes = store.read.node.all();
    const isUpToDate = (node: Node): boolean =>
      hasRegistered(node) &&
      !hasOldCertificate(pki, node, newRoot) &&
      !usesOldCertificate(pki, node, newRoot) &&
      !trustsNot(node, newRoot);
    const stale = nodes.filter((node) => !isUpToDate(node));
    const now = clock.monotonic();
    const missed = this.#missedLong(nodes, now);
    const lost = stale.filter((node) => missed.has(node));
    if (lost.length === stale.length) {
      if (!(await this.#finish(cluster, lost))) return true;
      this.#askedAt.clear();
      log.info('the root certificate was rotated');
      for (const { id } of lost)
        log.warn({ nodeId: id }, 'this node never came and may know the old root only: remove it');
      return false;
    }
    const toAsk = stale
      .filter((node) => node.certificate?.status?.state !== IssuanceStatus_State.ROTATE)
      .filter((node) => hasOldCertificate(pki, node, newRoot) || this.#askedLongAgo(node.id, now))
      .slice(0, BATCH_NODES);
    for (const { id } of toAsk) this.#askedAt.set(id, now);
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

  /**
   * The root people want is the one there is: there is nothing to replace, or no more. Whoever asked for it need not wait. They say where
   * its key is to be, too: with the managers, or (empty) outside.
   */
  async #stayWith(cluster: Cluster, key: string, forced: number): Promise<void> {
    const { store, log } = this.#options;
    const { rootCa } = cluster;
    const isNews = text(rootCa?.caKey) !== key || rootCa?.rootRotation !== undefined;
    if (!isNews && rootCa?.lastForcedRotation === forced) return;
    await store.update((tx) => {
      const current = tx.cluster.get(cluster.id);
      if (!current?.rootCa) return;
      const { rootRotation: _, ...kept } = current.rootCa;
      tx.cluster.update({
        ...current,
        rootCa: { ...kept, caKey: Buffer.from(key), lastForcedRotation: forced },
      });
    });
    if (rootCa?.rootRotation !== undefined) log.info('the rotation of the root certificate was called off');
  }

  /** The key of the root that is being brought in is to be with the managers, or (empty) outside. */
  #takeKey(cluster: Cluster, key: string): Promise<void> {
    return this.#options.store.update((tx) => {
      const current = tx.cluster.get(cluster.id);
      const rotation = current?.rootCa?.rootRotation;
      if (!current?.rootCa || !rotation) return;
      const rootRotation = { ...rotation, caKey: Buffer.from(key) };
      tx.cluster.update({ ...current, rootCa: { ...current.rootCa, rootRotation } });
    });
  }

  #askedLongAgo(nodeId: string, now: number): boolean {
    const askedAt = this.#askedAt.get(nodeId);
    // Asked by an earlier leader: this one waits as long.
    if (askedAt === undefined) this.#askedAt.set(nodeId, now);
    return askedAt !== undefined && now - askedAt > ASK_AGAIN_MS;
  }

  /**
   * Those that nobody has seen for long enough, by this leader's clock, which nobody can set; what an earlier leader waited does not
   * count. All are looked at, so that a rotation that follows another one does not wait for the same nodes again.
   */
  #missedLong(nodes: readonly Node[], now: number): ReadonlySet<Node> {
    const missed = nodes.filter((node) => !wasSeen(node));
    this.#missedSince = new Map(missed.map(({ id }) => [id, this.#missedSince.get(id) ?? now]));
    return new Set(missed.filter(({ id }) => now - (this.#missedSince.get(id) ?? now) >= NEVER_SEEN_MS));
  }

  /** False when one of those thought lost has come meanwhile. */
  #finish(cluster: Cluster, lost: readonly Node[]): Promise<boolean> {
    const { store, pki } = this.#options;
    return store.update((tx) => {
      if (lost.some(({ id }) => wasSeen(tx.node.get(id)))) return false;
      const current = tx.cluster.get(cluster.id);
      const rotation = current?.rootCa?.rootRotation;
      if (!current?.rootCa || !rotation) return true;
      const bundle = rotation.caCert.toString('utf8');
      tx.cluster.update({
        ...current,
        rootCa: {
          ...current.rootCa,
          caCert: rotation.caCert,
          caKey: rotation.caKey,
          caCertHash: rootHash(bundle),
          joinTokens: { worker: pki.newJoinToken(bundle), manager: pki.newJoinToken(bundle) },
          rootRotation: undefined,
        },
      });
      return true;
    });
  }
}

/** Whether a node's agent has come once and said what the node trusts. */
const hasRegistered = (node: Node | undefined): boolean => node?.description !== undefined;

/** Whether a node has registered once, or takes part in the group of managers: its agent may be late, but it is no lost answer to a join. */
const wasSeen = (node: Node | undefined): boolean => hasRegistered(node) || node?.managerStatus !== undefined;

/** Whether the last certificate made out to a node is one that the new root alone would not accept. A node that never got one cannot be cut off. */
const hasOldCertificate = (pki: Pki, { certificate }: Node, newRoot: string): boolean => {
  const chain = certificate?.certificate;
  return chain !== undefined && chain.length > 0 && !pki.chainsTo(chain.toString('utf8'), newRoot);
};

/** Whether a node says that it still uses a certificate of another root; pretend nodes say nothing of the kind. */
const usesOldCertificate = (pki: Pki, { description }: Node, newRoot: string): boolean => {
  const issuer = description?.tlsInfo?.certIssuerPublicKey;
  return issuer !== undefined && issuer.length > 0 && !pki.issuerInfo(newRoot).publicKey.equals(issuer);
};

/** Whether a node says what it trusts, and the new root is not among it. */
const trustsNot = ({ description }: Node, newRoot: string): boolean => {
  const trusted = description?.tlsInfo?.trustRoot;
  return trusted !== undefined && trusted.length > 0 && !trusted.includes(newRoot.trim());
};

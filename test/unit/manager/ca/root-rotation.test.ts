import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import type { Pki } from '../../../../src/identity/pki.ts';
import { RootRotation } from '../../../../src/manager/ca/root-rotation.ts';
import { sessionMessage } from '../../../../src/manager/dispatcher/session-messages.ts';
import type { Cluster, Node } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  Certificate,
  ManagerStatus,
  NodeDescription,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aCluster, aNode } from '../../../support/local-control.ts';
import { localStore } from '../../../support/local-store.ts';
import { noAuthorities } from '../../../simulation/no-authorities.ts';

/** Certificates name their roots; everybody has one of the new root already. */
const pki: Pki = {
  createRootCa: async () => ({ certificate: 'the next root', key: 'its key' }),
  crossSign: async () => 'twin',
  signNodeCertificate: async () => '',
  chainsTo: () => true,
  issuerInfo: () => ({ subject: Buffer.of(), publicKey: Buffer.from('the next key') }),
  newJoinToken: (bundle) => `token for ${bundle}`,
};

/** The cluster's people ask for a new root. */
const rotating = (): Cluster => ({
  ...aCluster(),
  spec: { ...aCluster().spec!, caConfig: { ...aCluster().spec!.caConfig!, forceRotate: 1 } },
});

describe('a rotation of the root', () => {
  it('does not end before every node says that it trusts the new root, as it is told to meanwhile', async () => {
    const clock = new FakeClock();
    const { store } = localStore(clock);
    const cluster = (): Cluster => store.read.cluster.all()[0] as Cluster;
    const trusting = (trustRoot: Buffer) => ({
      ...aNode('node'),
      description: NodeDescription.fromPartial({
        tlsInfo: { trustRoot, certIssuerPublicKey: Buffer.from('the next key') },
      }),
    });
    await store.update((tx) => {
      tx.cluster.create(rotating());
      tx.node.create(trusting(Buffer.from('the root certificate')));
    });
    const stop = new AbortController();
    const rotation = new RootRotation({ store, clock, pki, external: noAuthorities, log: silentLogger }).run(
      stop.signal,
    );
    for (let second = 0; second < 100; second++) await clock.advance(1_000);
    expect(cluster().rootCa?.rootRotation?.caCert.toString()).toBe('the next root');

    const { RootCA } = sessionMessage({ sessionId: '', node: aNode('node'), managers: [], cluster: cluster() });
    expect(RootCA.toString()).toContain('the root certificate');
    expect(RootCA.toString()).toContain('the next root');
    const { description } = trusting(RootCA);
    await store.update((tx) => tx.node.update({ ...tx.node.get('node')!, description }));
    for (let second = 0; second < 10; second++) await clock.advance(1_000);
    expect(cluster().rootCa).toMatchObject({ rootRotation: undefined, caCert: Buffer.from('the next root') });
    expect(cluster().rootCa?.caCertHash).toMatch(/^sha256:/);
    stop.abort();
    await rotation;
  });

  it.each([
    ['who has just been admitted, with a certificate of the new root but perhaps without knowing it', undefined, 60],
    ['a manager that takes part in the group, until its agent has come and says what it trusts', '7', 1_000],
  ])('waits for %s', async (_, raftId, seconds) => {
    const clock = new FakeClock();
    const { store } = localStore(clock);
    const managerStatus = raftId === undefined ? undefined : ManagerStatus.fromPartial({ raftId });
    await store.update((tx) => {
      tx.cluster.create(rotating());
      tx.node.create({ ...neverSeen(certified(aNode('n'), 'new')), managerStatus });
    });
    const stop = new AbortController();
    const running = new RootRotation({ store, clock, pki, external: noAuthorities, log: silentLogger }).run(
      stop.signal,
    );
    const newRoot = (): string | undefined => store.read.cluster.all()[0]?.rootCa?.caCert.toString();
    for (let second = 0; second < seconds; second++) await clock.advance(1_000);
    expect(newRoot()).not.toBe('the next root');
    await store.update((tx) => tx.node.update(seen(tx.node.get('n')!)));
    for (let second = 0; second < 5; second++) await clock.advance(1_000);
    expect(newRoot()).toBe('the next root');
    stop.abort();
    await running;
  });

  it('does not wait anew for who was missed during the rotation before', async () => {
    const clock = new FakeClock();
    const { store } = localStore(clock);
    let roots = 0;
    const counting: Pki = {
      ...pki,
      createRootCa: async () => ({ certificate: `root ${++roots}`, key: 'its key' }),
      chainsTo: (chain, root) => chain === root,
    };
    await store.update((tx) => {
      tx.cluster.create(rotating());
      for (const root of ['root 0', 'root 1']) tx.node.create(neverSeen(certified(aNode(`from ${root}`), root)));
    });
    const stop = new AbortController();
    const running = new RootRotation({ store, clock, pki: counting, external: noAuthorities, log: silentLogger }).run(
      stop.signal,
    );
    for (let second = 0; second < 610; second++) await clock.advance(1_000);
    const cluster = (): Cluster => store.read.cluster.all()[0] as Cluster;
    expect(cluster().rootCa?.caCert.toString()).toBe('root 1');
    await store.update((tx) => {
      const { spec, ...rest } = cluster();
      tx.cluster.update({ ...rest, spec: { ...spec!, caConfig: { ...spec!.caConfig!, forceRotate: 2 } } });
    });
    for (let second = 0; second < 10; second++) await clock.advance(1_000);
    expect(cluster().rootCa?.caCert.toString()).toBe('root 2');
    stop.abort();
    await running;
  });

  it('waits for all who were ever seen, and ten minutes for the others', async () => {
    await fc.assert(
      fc.asyncProperty(fates, fc.nat(900), async (nodes, newLeaderAfter) => {
        const swarm = new RotatingSwarm(nodes);
        await swarm.begin();
        let endedAfter: number | undefined;
        for (let second = 0; second < 1_800 && endedAfter === undefined; second++) {
          if (second === newLeaderAfter) await swarm.elect();
          await swarm.passSecond(second);
          if (swarm.hasNewRoot) endedAfter = second;
        }
        await swarm.depose();
        const left = nodes.filter((_, i) => !swarm.isRenewed(i));
        if (left.some(({ wasSeen }) => wasSeen)) expect(endedAfter).toBeUndefined();
        else expect(endedAfter).toBeLessThanOrEqual(Math.max(900, newLeaderAfter + 600) + 10);
        if (endedAfter !== undefined && left.length > 0) expect(endedAfter).toBeGreaterThanOrEqual(590);
      }),
      { numRuns: 40 },
    );
  });
});

/** What befalls a node during a rotation. */
interface Fate {
  readonly wasSeen: boolean;
  /** Seconds until it renews, which for one that was never seen is when it comes; undefined if it never does. */
  readonly renewsAfter: number | undefined;
}

const fates: fc.Arbitrary<readonly Fate[]> = fc.array(
  fc.record({ wasSeen: fc.boolean(), renewsAfter: fc.option(fc.nat(900), { nil: undefined }) }),
  { minLength: 1, maxLength: 6 },
);

/** Nodes with certificates of the old root, and leaders that replace it. */
class RotatingSwarm {
  readonly #clock = new FakeClock();
  readonly #store = localStore(this.#clock).store;
  readonly #fates: readonly Fate[];
  #endTerm: () => Promise<void> = () => Promise.resolve();

  constructor(nodes: readonly Fate[]) {
    this.#fates = nodes;
  }

  get hasNewRoot(): boolean {
    return this.#store.read.cluster.all()[0]?.rootCa?.caCert.toString() === 'the next root';
  }

  async begin(): Promise<void> {
    await this.#store.update((tx) => {
      tx.cluster.create(rotating());
      for (const [i, { wasSeen }] of this.#fates.entries())
        tx.node.create({
          ...certified(aNode(`n${i}`), 'old'),
          description: wasSeen ? aNode('n').description : undefined,
        });
    });
    await this.elect();
  }

  async elect(): Promise<void> {
    await this.depose();
    const term = new AbortController();
    const chainsTo = (chain: string, root: string): boolean => root !== 'the next root' || chain === 'new';
    const [store, clock, external] = [this.#store, this.#clock, noAuthorities];
    const options = { store, clock, pki: { ...pki, chainsTo }, external, log: silentLogger };
    const loop = new RootRotation(options).run(term.signal);
    this.#endTerm = async () => {
      term.abort();
      await loop;
    };
  }

  depose(): Promise<void> {
    return this.#endTerm();
  }

  async passSecond(second: number): Promise<void> {
    for (const [i, { renewsAfter }] of this.#fates.entries())
      if (renewsAfter === second)
        await this.#store.update((tx) => tx.node.update(seen(certified(tx.node.get(`n${i}`)!, 'new'))));
    await this.#clock.advance(1_000);
  }

  isRenewed(i: number): boolean {
    return this.#store.read.node.get(`n${i}`)?.certificate?.certificate.toString() === 'new';
  }
}

const seen = (node: Node): Node => ({ ...node, description: aNode('n').description });

const neverSeen = (node: Node): Node => ({ ...node, description: undefined });

const certified = (node: Node, chain: string): Node => ({
  ...node,
  certificate: Certificate.fromPartial({ certificate: Buffer.from(chain) }),
});

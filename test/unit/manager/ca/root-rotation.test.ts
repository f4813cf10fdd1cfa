import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import type { Pki } from '../../../../src/identity/pki.ts';
import { RootRotation } from '../../../../src/manager/ca/root-rotation.ts';
import { sessionMessage } from '../../../../src/manager/dispatcher/session-messages.ts';
import type { Cluster } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeDescription } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aCluster, aNode } from '../../../support/local-control.ts';
import { localStore } from '../../../support/local-store.ts';

/** Certificates name their roots; everybody has one of the new root already. */
const pki: Pki = {
  createRootCa: async () => ({ certificate: 'the next root', key: 'its key' }),
  crossSign: async () => 'twin',
  signNodeCertificate: async () => '',
  chainsTo: () => true,
  issuerInfo: () => ({ subject: Buffer.of(), publicKey: Buffer.from('the next key') }),
  newJoinToken: (bundle) => `token for ${bundle}`,
};

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
      tx.cluster.create({
        ...aCluster(),
        spec: { ...aCluster().spec!, caConfig: { ...aCluster().spec!.caConfig!, forceRotate: 1 } },
      });
      tx.node.create(trusting(Buffer.from('the root certificate')));
    });
    const stop = new AbortController();
    const rotation = new RootRotation({ store, clock, pki, log: silentLogger }).run(stop.signal);
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
});

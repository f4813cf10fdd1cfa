import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import type { Cluster } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { CAConfig, ExternalCA } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aRoot } from '../../../support/authority.ts';
import { CLUSTER_ID, testControl, type TestControl } from '../../../support/local-control.ts';

const P256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const own = aRoot(P256, '/CN=own');
const outside = aRoot(P256, '/CN=outside');
const other = aRoot(P256, '/CN=other');
const pem = (root: { readonly certificate: string }): Buffer => Buffer.from(root.certificate);
const at = (url: string, root?: { readonly certificate: string }): ExternalCA =>
  ExternalCA.fromPartial({ url, ...(root ? { caCert: pem(root) } : {}) });

/** A cluster with its own root, and authorities of which only those are up whose address says so. */
async function swarm(rootCa: Partial<NonNullable<Cluster['rootCa']>> = {}) {
  const asked: string[] = [];
  const test = await testControl({
    clock: new FakeClock(Date.now()),
    reachAuthorities: async (authorities) => {
      asked.push(...authorities.map(({ url }) => url));
      if (!authorities.some(({ url }) => url.includes('up'))) throw new Error('it does not answer');
    },
  });
  await test.store.update((tx) => {
    const cluster = tx.cluster.get(CLUSTER_ID) as Cluster;
    if (cluster.rootCa) tx.cluster.update({ ...cluster, rootCa: { ...cluster.rootCa, caCert: pem(own), ...rootCa } });
  });
  return { test, asked };
}

function settle({ store, control }: TestControl, change: Partial<CAConfig>): Promise<unknown> {
  const { id, spec, meta } = store.read.cluster.get(CLUSTER_ID) as Cluster;
  const caConfig = { ...CAConfig.fromPartial(spec?.caConfig ?? {}), ...change };
  return control.updateCluster({
    clusterId: id,
    clusterVersion: meta?.version,
    spec: spec && { ...spec, caConfig },
    rotation: { workerJoinToken: false, managerJoinToken: false, managerUnlockKey: false },
  });
}

describe('a root whose key is kept outside', () => {
  const noKey = { caCert: pem(outside), caKey: Buffer.of() };

  it('is taken when somebody answers who signs with it', async () => {
    const { test, asked } = await swarm();
    const externalCas = [at('https://down', outside), at('https://up', outside), at('https://up-for-own')];
    await settle(test, { signingCaCert: pem(outside), externalCas });
    expect(asked).toEqual(['https://down', 'https://up']);
  });

  it.each([
    ['nobody is named', [], 'none is named for it; name one (--external-ca), or give the key'],
    ['those named sign for another root', [at('https://up', other), at('https://up')], 'none is named for it'],
    ['none of them answers', [at('https://down', outside)], 'it does not answer'],
  ])('is not taken when %s', async (_what, externalCas, words) => {
    const { test } = await swarm();
    const settled = settle(test, { signingCaCert: pem(outside), externalCas });
    await expect(settled).rejects.toMatchObject({ code: 'invalidArgument' });
    await expect(settled).rejects.toThrow('external CA corresponding to the desired CA certificate');
    await expect(settled).rejects.toThrow(words);
  });

  it('takes no key without a certificate, nor with something else in its place', async () => {
    const { test } = await swarm();
    for (const certificate of ['', 'bogus']) {
      const settled = settle(test, { signingCaCert: Buffer.from(certificate), signingCaKey: Buffer.from(other.key) });
      await expect(settled).rejects.toThrow(
        'if a signing CA key is provided, the signing CA cert must also be provided',
      );
    }
  });

  it('does not follow another of the kind', async () => {
    const { test } = await swarm(noKey);
    const externalCas = [at('https://up'), at('https://up', other)];
    await expect(settle(test, { signingCaCert: pem(other), externalCas })).rejects.toThrow(
      'rotating from one external CA to a different external CA is not supported',
    );
  });

  it('gives way to one of the swarm only while somebody certifies that', async () => {
    const { test } = await swarm(noKey);
    const current = 'external CA corresponding to the current CA certificate';
    await expect(settle(test, { forceRotate: 1 })).rejects.toThrow(current);
    const key = { signingCaCert: pem(other), signingCaKey: Buffer.from(other.key) };
    await expect(settle(test, { ...key, externalCas: [at('https://down')] })).rejects.toThrow(current);
    await settle(test, { ...key, externalCas: [at('https://up')] });
  });

  it('needs nobody any more when its key is brought', async () => {
    const { test, asked } = await swarm(noKey);
    await settle(test, { signingCaCert: pem(outside), signingCaKey: Buffer.from(outside.key) });
    expect(asked).toEqual([]);
  });

  it('is asked for only when the settings touch on it', async () => {
    const { test, asked } = await swarm(noKey);
    await settle(test, { nodeCertExpiry: { seconds: 7200, nanos: 0 } });
    expect(asked).toEqual([]);
    await expect(settle(test, { externalCas: [at('https://down')] })).rejects.toThrow('current CA certificate');
  });

  it('keeps its authority while it is being brought in', async () => {
    const rootRotation = { caCert: pem(outside), caKey: Buffer.of(), crossSignedCaCert: Buffer.of() };
    const { test } = await swarm({ rootRotation });
    await expect(settle(test, { externalCas: [at('https://up')] })).rejects.toThrow(
      'external CA corresponding to the next CA certificate',
    );
    await settle(test, { externalCas: [at('https://up', outside)] });
    await settle(test, { signingCaCert: pem(own), signingCaKey: Buffer.from(own.key), externalCas: [] });
  });
});

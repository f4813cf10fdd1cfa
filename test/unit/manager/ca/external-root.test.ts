import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { certificatesIn } from '../../../../src/common/pem.ts';
import { chainsTo, createRootCa, type KeyPair } from '../../../../src/identity/certificate.ts';
import { enrollWithToken, renewCertificate } from '../../../../src/identity/enroll.ts';
import { NodeIdentity } from '../../../../src/identity/node-identity.ts';
import { x509Pki } from '../../../../src/identity/pki.ts';
import { cfsslAuthorities } from '../../../../src/manager/ca/cfssl-authorities.ts';
import { RootRotation } from '../../../../src/manager/ca/root-rotation.ts';
import type { Cluster } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  CAConfig,
  ExternalCA,
  IssuanceStatus_State,
  NodeRole,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode } from '../../../support/local-control.ts';
import { startAuthority, type TestAuthority } from '../../../support/authority.ts';
import { startExternalAuthority, type ExternalAuthority } from '../../../support/external-authority.ts';

const environment = () => ({ clock: systemClock, log: silentLogger, signal: new AbortController().signal });

describe('a root whose key is kept outside', { timeout: 60_000 }, () => {
  let authority: TestAuthority;
  let outside: ExternalAuthority;
  let present: KeyPair;
  let desired: KeyPair;
  let rotation: Promise<void>;
  const stop = (): void => running.abort();
  let running: AbortController;

  const cluster = (): Cluster => authority.store.read.cluster.all()[0] as Cluster;
  const isUnderWay = (): boolean => cluster().rootCa?.rootRotation !== undefined;
  const holdsKey = (): boolean => (cluster().rootCa?.caKey.length ?? 0) > 0;
  const presentRoot = (): string => cluster().rootCa?.caCert.toString() ?? '';

  beforeEach(async () => {
    authority = await startAuthority();
    present = { certificate: presentRoot(), key: cluster().rootCa?.caKey.toString() ?? '' };
    desired = await createRootCa(Date.now());
    outside = await startExternalAuthority(authority.directory, desired, present.certificate + desired.certificate);
    const { nodeId, certificate } = authority.identity.current;
    const manager = aNode(nodeId);
    await authority.store.update((tx) =>
      tx.node.create({
        ...manager,
        role: NodeRole.MANAGER,
        certificate: {
          role: NodeRole.MANAGER,
          csr: Buffer.of(),
          status: { state: IssuanceStatus_State.ISSUED, err: '' },
          certificate: Buffer.from(certificate),
          cn: nodeId,
        },
      }),
    );
    running = new AbortController();
    const { store, identity } = authority;
    const external = cfsslAuthorities(() => identity.current);
    const options = { store, clock: systemClock, pki: x509Pki, external, log: silentLogger };
    rotation = new RootRotation(options).run(running.signal);
  });
  afterEach(async () => {
    stop();
    await rotation;
    await outside.close();
    await authority.close();
  });

  const settings = (change: Partial<CAConfig>): Promise<unknown> =>
    authority.store.update((tx) => {
      const [current] = tx.cluster.all();
      if (!current?.spec) throw new Error('there is no cluster');
      const caConfig = { ...CAConfig.fromPartial(current.spec.caConfig ?? {}), ...change };
      tx.cluster.update({ ...current, spec: { ...current.spec, caConfig } });
    });

  const toDesired = (url = outside.url): Promise<unknown> =>
    settings({
      signingCaCert: Buffer.from(desired.certificate),
      externalCas: [ExternalCA.fromPartial({ url, caCert: Buffer.from(desired.certificate) })],
    });

  /** Everybody who is asked to renew does. */
  async function renewAll(...identities: readonly NodeIdentity[]): Promise<void> {
    for (const identity of identities) {
      const state = () => authority.store.read.node.get(identity.current.nodeId)?.certificate?.status?.state;
      await expect.poll(state, { timeout: 20_000 }).toBe(IssuanceStatus_State.ROTATE);
      await identity.replace(await renewCertificate([authority.address], identity.current, environment()));
    }
  }

  async function join_(name: string): Promise<NodeIdentity> {
    const enrolled = await enrollWithToken(
      [authority.address],
      { token: authority.token('worker'), availability: 0 },
      environment(),
    );
    const identity = await NodeIdentity.create(join(authority.directory, name), enrolled.rootBundle, enrolled);
    await authority.meet(identity);
    return identity;
  }

  /** By another program, too. */
  function verifies(chain: string, root: string): string {
    const [leaf = '', ...others] = certificatesIn(chain);
    const file = (name: string, content: string): string => {
      writeFileSync(join(authority.directory, name), content);
      return join(authority.directory, name);
    };
    const untrusted = others.length === 0 ? [] : ['-untrusted', file('others.pem', others.join('\n'))];
    const args = ['verify', '-CAfile', file('trusted.pem', root), ...untrusted, file('leaf.pem', leaf)];
    return execFileSync('openssl', args, { stdio: 'pipe' }).toString();
  }

  it('takes over from one of the managers, and hands over to the next of theirs', async () => {
    const worker = await join_('w');
    await toDesired();
    await renewAll(authority.identity, worker);
    await expect.poll(isUnderWay, { timeout: 20_000 }).toBe(false);
    expect(presentRoot()).toBe(desired.certificate);
    expect(holdsKey()).toBe(false);
    for (const { current } of [authority.identity, worker]) {
      expect(chainsTo(current.certificate, present.certificate)).toBe(true);
      expect(chainsTo(current.certificate, desired.certificate)).toBe(true);
      expect(verifies(current.certificate, present.certificate)).toContain('OK');
      expect(verifies(current.certificate, desired.certificate)).toContain('OK');
      await worker.trust(desired.certificate);
    }
    await authority.identity.trust(desired.certificate);
    const later = await join_('later');
    expect(verifies(later.current.certificate, desired.certificate)).toContain('OK');

    await settings({ signingCaCert: Buffer.of(), forceRotate: 1 });
    await renewAll(authority.identity, worker, later);
    await expect.poll(isUnderWay, { timeout: 20_000 }).toBe(false);
    expect(holdsKey()).toBe(true);
    expect(presentRoot()).not.toBe(desired.certificate);
    expect(verifies(worker.current.certificate, desired.certificate)).toContain('OK');
    expect(verifies(worker.current.certificate, presentRoot())).toContain('OK');
    const crossed = outside.asked.filter(({ profile }) => profile === 'CA');
    expect(crossed.map(({ subject, extensions }) => [subject.CN, extensions])).toEqual([
      ['swarm-ca', [{ id: '2.5.29.19', critical: true, value: '30030101ff' }]],
    ]);
  });

  it('is waited for while nobody signs with it, and the rotation is called off when the present one is brought', async () => {
    await join_('w');
    outside.answer = async () => ({ success: false, errors: [{ message: 'not today' }] });
    await toDesired();
    await expect.poll(isUnderWay).toBe(true);
    await expect(join_('x')).rejects.toThrow('it refuses: not today');
    await settings({ signingCaCert: Buffer.from(present.certificate), signingCaKey: Buffer.from(present.key) });
    await expect.poll(isUnderWay, { timeout: 10_000 }).toBe(false);
    expect(presentRoot()).toBe(present.certificate);
    expect(holdsKey()).toBe(true);
    await settings({ externalCas: [] });
    const later = await join_('later');
    expect(verifies(later.current.certificate, present.certificate)).toContain('OK');
  });

  it('is brought in all the same when its key is brought later, and nobody outside is needed then', async () => {
    outside.answer = async () => ({ success: false, errors: [{ message: 'not today' }] });
    await toDesired();
    await expect.poll(isUnderWay).toBe(true);
    await settings({ signingCaKey: Buffer.from(desired.key), externalCas: [] });
    const nextKey = () => cluster().rootCa?.rootRotation?.caKey.length ?? 0;
    await expect.poll(nextKey, { timeout: 10_000 }).toBeGreaterThan(0);
    await renewAll(authority.identity);
    await expect.poll(isUnderWay, { timeout: 20_000 }).toBe(false);
    expect([presentRoot(), holdsKey()]).toEqual([desired.certificate, true]);
  });

  it('gives way to another that is brought before it has taken over', async () => {
    await join_('w');
    await toDesired();
    await expect.poll(isUnderWay).toBe(true);
    const other = await createRootCa(Date.now());
    await settings({ signingCaCert: Buffer.from(other.certificate), signingCaKey: Buffer.from(other.key) });
    const next = () => cluster().rootCa?.rootRotation?.caCert.toString();
    await expect.poll(next, { timeout: 10_000 }).toBe(other.certificate);
    expect(verifies(cluster().rootCa?.rootRotation?.crossSignedCaCert.toString() ?? '', present.certificate)).toContain(
      'OK',
    );
  });

  it('does not certify the next one when it signs something else', async () => {
    const external = cfsslAuthorities(() => authority.identity.current);
    const authorities = [ExternalCA.fromPartial({ url: outside.url })];
    const next = await createRootCa(Date.now());
    const other = await createRootCa(Date.now());
    await expect(external.crossSign(authorities, next, desired.certificate)).resolves.toContain('BEGIN CERTIFICATE');
    outside.answer = async () => ({ success: true, result: { certificate: other.certificate } });
    await expect(external.crossSign(authorities, next, desired.certificate)).rejects.toThrow(
      `${outside.url}: what it signed is not the next root`,
    );
    const twin = await x509Pki.crossSign(next.certificate, other, Date.now());
    outside.answer = async () => ({ success: true, result: { certificate: twin } });
    await expect(external.crossSign(authorities, next, desired.certificate)).rejects.toThrow(
      'is not signed by the root of this cluster',
    );
  });

  it('is found out to be reachable, or why it is not', async () => {
    const external = cfsslAuthorities(() => authority.identity.current);
    const at = (url: string) => [ExternalCA.fromPartial({ url })];
    await external.reach(at(outside.url), desired.certificate);
    await expect(external.reach(at(outside.url), present.certificate)).rejects.toThrow(/self-signed|issuer|verify/);
    await expect(external.reach(at('https://127.0.0.1:1/'), desired.certificate)).rejects.toThrow('ECONNREFUSED');
    await expect(external.reach(at('http://127.0.0.1/'), desired.certificate)).rejects.toThrow('https://');
    await expect(external.reach(at('nonsense'), desired.certificate)).rejects.toThrow('nonsense');
  });
});

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { connect as http2Connect } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { unary } from '../../../src/common/rpc-client.ts';
import {
  chainsTo,
  createRootCa,
  createSigningRequest,
  issuerInfo,
  issuerOf,
  subjectOf,
} from '../../../src/identity/certificate.ts';
import { managerChannelOptions, memberCredentials } from '../../../src/identity/client-credentials.ts';
import { BulkEnrollment, enrollWithToken, renewCertificate } from '../../../src/identity/enroll.ts';
import { newJoinToken } from '../../../src/identity/join-token.ts';
import { NodeIdentity } from '../../../src/identity/node-identity.ts';
import { x509Pki } from '../../../src/identity/pki.ts';
import { RootRotation } from '../../../src/manager/ca/root-rotation.ts';
import { NodeSpec_Availability } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { CAClient, NodeCAClient } from '../../../src/proto/generated/docker/swarmkit/v1/ca.ts';
import {
  CAConfig,
  ExternalCA,
  IssuanceStatus_State,
  NodeDescription,
  NodeRole,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aRoot, startAuthority, type TestAuthority } from '../../support/authority.ts';
import { startExternalAuthority, type ExternalAuthority } from '../../support/external-authority.ts';
import { noAuthorities } from '../../simulation/no-authorities.ts';

const external = noAuthorities;

const environment = () => ({ clock: systemClock, log: silentLogger, signal: new AbortController().signal });

describe('enrollment', () => {
  let authority: TestAuthority;
  beforeEach(async () => {
    authority = await startAuthority();
  });
  afterEach(() => authority.close());

  const join_ = (token: string, name: string) =>
    enrollWithToken([authority.address], { token, availability: 0 }, environment()).then((e) =>
      NodeIdentity.create(join(authority.directory, name), e.rootBundle, e),
    );

  it('gives a worker with the worker token a certificate and a node object', async () => {
    const identity = await join_(authority.token('worker'), 'w');
    expect(identity.current.role).toBe('worker');
    const node = authority.store.read.node.get(identity.current.nodeId);
    expect(node?.role).toBe(NodeRole.WORKER);
    const reloaded = await NodeIdentity.load(join(authority.directory, 'w'));
    expect(reloaded?.current).toEqual(identity.current);
  });

  it('tells a node the port of overlay networks', async () => {
    await authority.store.update((tx) => {
      for (const cluster of tx.cluster.all()) tx.cluster.update({ ...cluster, VXLANUDPPort: 7777 });
    });
    const identity = await join_(authority.token('worker'), 'w');
    expect(authority.store.read.node.get(identity.current.nodeId)?.VXLANUDPPort).toBe(7777);
  });

  it('issues certificates that OpenSSL verifies, with the names Docker asks for', async () => {
    const identity = await join_(authority.token('manager'), 'm');
    const root = join(authority.directory, 'root.pem');
    const leaf = join(authority.directory, 'leaf.pem');
    writeFileSync(root, identity.current.rootBundle);
    writeFileSync(leaf, identity.current.certificate);
    expect(execFileSync('openssl', ['verify', '-CAfile', root, '-purpose', 'sslserver', leaf]).toString()).toContain(
      ': OK',
    );
    const text = execFileSync('openssl', ['x509', '-in', leaf, '-noout', '-text']).toString();
    expect(text).toMatch(/O = \S+, OU = swarm-manager, CN = /);
    expect(text).toContain('DNS:swarm-ca');
    expect(text).toContain('CA:FALSE');
    const der = execFileSync('openssl', ['x509', '-in', root, '-noout', '-subject', '-nameopt', 'RFC2253']).toString();
    expect(der).toContain('CN=swarm-ca');
    expect(issuerInfo(identity.current.rootBundle).subject.toString('latin1')).toContain('swarm-ca');
  });

  it('refuses a token of another cluster, a rotated secret and nonsense', async () => {
    const foreign = newJoinToken((await createRootCa(Date.now())).certificate);
    await expect(join_(foreign, 'x')).rejects.toThrow(
      /^remote CA does not match fingerprint: .* does not match the join token/,
    );
    const rotated = newJoinToken(authority.identity.current.rootBundle);
    await expect(join_(rotated, 'x')).rejects.toThrow('A valid join token is necessary');
    await expect(join_('SWMTKN-nonsense', 'x')).rejects.toThrow('invalid join token');
  });

  it('gives many nodes of one process an identity each', async () => {
    const bulk = new BulkEnrollment(
      ['127.0.0.1:1', authority.address],
      { token: authority.token('worker'), availability: 0 },
      environment(),
    );
    const enrolled = await Promise.all(Array.from({ length: 5 }, () => bulk.enroll()));
    bulk.close();
    const ids = enrolled.map(({ certificate }) => subjectOf(certificate).nodeId);
    expect(new Set(ids).size).toBe(5);
    for (const { certificate, rootBundle } of enrolled) expect(chainsTo(certificate, rootBundle)).toBe(true);
    for (const id of ids) expect(authority.store.read.node.get(id)?.role).toBe(NodeRole.WORKER);
  });

  it('renews a certificate with the role the managers hold now', async () => {
    const identity = await join_(authority.token('worker'), 'w');
    const { nodeId } = identity.current;
    await authority.store.update((tx) => {
      const node = tx.node.get(nodeId);
      if (node) tx.node.update({ ...node, role: NodeRole.MANAGER });
    });
    const renewed = await renewCertificate([authority.address], identity.current, environment());
    expect(subjectOf(renewed.certificate)).toMatchObject({ nodeId, role: 'manager' });
    await identity.replace(renewed);
    expect(readFileSync(join(authority.directory, 'w', 'swarm-node.pem'), 'utf8')).toContain(renewed.certificate);
  });

  it('lets only managers call manager methods, and refuses removed nodes', async () => {
    const worker = await join_(authority.token('worker'), 'w');
    const manager = await join_(authority.token('manager'), 'm');
    const ask = (identity: NodeIdentity) => {
      const client = new CAClient(authority.address, memberCredentials(identity.current), managerChannelOptions);
      return unary(client.getUnlockKey.bind(client), {}, { timeoutMs: 3000 }).finally(() => client.close());
    };
    await expect(ask(worker)).rejects.toMatchObject({ code: 'permissionDenied' });
    await expect(ask(manager)).resolves.toBeDefined();
    authority.removed.add(manager.current.nodeId);
    await expect(ask(manager)).rejects.toThrow('was removed from this cluster');
  });

  it('serves a client that offers no ALPN, as Docker agents do after a renewal', async () => {
    const worker = await join_(authority.token('worker'), 'w');
    const [host, port] = authority.address.split(':');
    const { key, certificate, rootBundle } = worker.current;
    const socket = tlsConnect({
      host,
      port: Number(port),
      key,
      cert: certificate,
      ca: rootBundle,
      servername: 'swarm-manager',
    });
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.alpnProtocol).toBe(false);
    const session = http2Connect(`https://${authority.address}`, {
      createConnection: () => Object.assign(socket, { alpnProtocol: 'h2' }),
    });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/docker.swarmkit.v1.CA/GetRootCACertificate',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const body: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => body.push(chunk));
    stream.end(Buffer.alloc(5));
    await new Promise((resolve) => stream.once('end', resolve));
    expect(Buffer.concat(body).toString()).toContain('BEGIN CERTIFICATE');
    session.destroy();
  });

  it('rotates the root without ever refusing a node that follows', async () => {
    const worker = await join_(authority.token('worker'), 'w');
    await authority.meet(worker);
    const oldRoot = authority.identity.current.rootBundle;
    const oldToken = authority.token('worker');
    const stop = new AbortController();
    const loop = new RootRotation({
      store: authority.store,
      clock: systemClock,
      pki: x509Pki,
      external,
      log: silentLogger,
    }).run(stop.signal);
    await authority.store.update((tx) => {
      const cluster = tx.cluster.all()[0];
      if (cluster?.spec)
        tx.cluster.update({
          ...cluster,
          spec: {
            ...cluster.spec,
            caConfig: {
              nodeCertExpiry: undefined,
              externalCas: [],
              signingCaCert: Buffer.of(),
              signingCaKey: Buffer.of(),
              forceRotate: 1,
            },
          },
        });
    });
    const cluster = () => authority.store.read.cluster.all()[0];
    await expect.poll(() => authority.store.read.node.get(worker.current.nodeId)?.certificate?.status?.state).toBe(5);
    const during = await renewCertificate([authority.address], worker.current, environment());
    expect(chainsTo(during.certificate, oldRoot)).toBe(true);
    await worker.replace(during);
    await expect.poll(() => cluster()?.rootCa?.rootRotation, { timeout: 15_000 }).toBeUndefined();
    const newRoot = cluster()?.rootCa?.caCert.toString() ?? '';
    expect(newRoot).not.toBe(oldRoot);
    expect(chainsTo(during.certificate, newRoot)).toBe(true);
    await worker.trust(newRoot);
    expect(authority.token('worker')).not.toBe(oldToken);
    stop.abort();
    await loop;
  });

  it('keeps both roots until every node says that it uses its new certificate', async () => {
    const worker = await join_(authority.token('worker'), 'w');
    const { nodeId, rootBundle } = worker.current;
    const { store } = authority;
    const says = (certIssuerPublicKey: Buffer) =>
      store.update((tx) => {
        const node = tx.node.get(nodeId);
        const tlsInfo = { trustRoot: Buffer.of(), certIssuerSubject: Buffer.of(), certIssuerPublicKey };
        if (node) tx.node.update({ ...node, description: NodeDescription.fromPartial({ tlsInfo }) });
      });
    await says(issuerOf(worker.current.certificate, rootBundle).publicKey);
    const clock = new FakeClock();
    const stop = new AbortController();
    const loop = new RootRotation({ store, clock, pki: x509Pki, external, log: silentLogger }).run(stop.signal);
    const rotate = (forceRotate: number): Promise<unknown> =>
      store.update((tx) => {
        const cluster = tx.cluster.all()[0];
        const caConfig = CAConfig.fromPartial({ forceRotate });
        if (cluster?.spec) tx.cluster.update({ ...cluster, spec: { ...cluster.spec, caConfig } });
      });
    await rotate(1);
    const rotation = () => store.read.cluster.all()[0]?.rootCa?.rootRotation;
    const state = () => store.read.node.get(nodeId)?.certificate?.status?.state;
    await expect.poll(state).toBe(IssuanceStatus_State.ROTATE);
    await worker.replace(await renewCertificate([authority.address], worker.current, environment()));
    await clock.advance(20_000);
    expect(rotation()).toBeDefined();
    expect(state()).toBe(IssuanceStatus_State.ISSUED);
    await clock.advance(60_000);
    // What it was sent may never have reached its disk.
    await expect.poll(state).toBe(IssuanceStatus_State.ROTATE);
    await worker.replace(await renewCertificate([authority.address], worker.current, environment()));
    await says(issuerOf(worker.current.certificate, rootBundle).publicKey);
    const first = rotation()?.caCert;
    // Asked for meanwhile, so it follows.
    await rotate(2);
    await expect.poll(() => clock.advance(3_000).then(() => rotation()?.caCert)).not.toEqual(first);
    expect(store.read.cluster.all()[0]?.rootCa?.caCert).toEqual(first);
    await expect.poll(() => clock.advance(3_000).then(() => rotation() !== undefined)).toBe(true);
    stop.abort();
    await loop;
  });

  it.each([
    ['ECDSA on the curve P-384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['RSA', ['rsa:2048']],
  ])('rotates to a root that was brought, with a key of the kind %s', async (_kind, key) => {
    const worker = await join_(authority.token('worker'), 'w');
    await authority.meet(worker);
    const root = aRoot(key);
    const stop = new AbortController();
    const { store } = authority;
    const loop = new RootRotation({ store, clock: systemClock, pki: x509Pki, external, log: silentLogger }).run(
      stop.signal,
    );
    await store.update((tx) => {
      const cluster = tx.cluster.all()[0];
      const caConfig = CAConfig.fromPartial({
        signingCaCert: Buffer.from(root.certificate),
        signingCaKey: Buffer.from(root.key),
        forceRotate: 1,
      });
      if (cluster?.spec) tx.cluster.update({ ...cluster, spec: { ...cluster.spec, caConfig } });
    });
    const present = () => store.read.cluster.all()[0]?.rootCa;
    await expect
      .poll(() => store.read.node.get(worker.current.nodeId)?.certificate?.status?.state)
      .toBe(IssuanceStatus_State.ROTATE);
    const during = await renewCertificate([authority.address], worker.current, environment());
    await worker.replace(during);
    await expect.poll(() => present()?.caCert.toString(), { timeout: 15_000 }).toBe(root.certificate);
    expect(present()?.rootRotation).toBeUndefined();
    expect(chainsTo(during.certificate, root.certificate)).toBe(true);
    // Docker Engines compare names byte for byte.
    expect(issuerOf(during.certificate, root.certificate)).toEqual(issuerInfo(root.certificate));
    const [leaf = '', twin = ''] = during.certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    for (const pem of [leaf, twin])
      expect(new X509Certificate(pem).raw.includes(issuerInfo(root.certificate).subject)).toBe(true);
    await worker.trust(root.certificate);
    // Asked for once more, it is done already.
    await store.update((tx) => {
      const cluster = tx.cluster.all()[0];
      const caConfig = { ...cluster!.spec!.caConfig!, forceRotate: 2 };
      tx.cluster.update({ ...cluster!, spec: { ...cluster!.spec!, caConfig } });
    });
    await expect.poll(() => present()?.lastForcedRotation).toBe(2);
    expect(present()?.caCert.toString()).toBe(root.certificate);
    stop.abort();
    await loop;
  });

  describe('with an authority outside of the cluster', () => {
    let outside: ExternalAuthority;
    beforeEach(async () => {
      const { caCert, caKey } = authority.store.read.cluster.all()[0]?.rootCa ?? {};
      const root = { certificate: String(caCert), key: String(caKey) };
      outside = await startExternalAuthority(authority.directory, root);
    });
    afterEach(() => outside.close());

    const ask = (...urls: readonly string[]): Promise<unknown> =>
      authority.store.update((tx) => {
        const cluster = tx.cluster.all()[0];
        const externalCas = urls.map((at) => ExternalCA.fromPartial({ url: at }));
        const caConfig = { ...CAConfig.fromPartial({}), externalCas };
        if (cluster?.spec) tx.cluster.update({ ...cluster, spec: { ...cluster.spec, caConfig } });
      });

    it('asks that one, and the next when the first does not answer', async () => {
      await ask('https://127.0.0.1:1/', outside.url);
      const { current } = await join_(authority.token('worker'), 'w');
      expect(current.role).toBe('worker');
      const [asked] = outside.asked;
      expect(asked?.subject).toEqual({ CN: current.nodeId, names: [{ OU: 'swarm-worker', O: current.clusterId }] });
      expect(asked?.hosts).toEqual(['swarm-worker', current.nodeId]);
    });

    it.each([
      ['it refuses', { success: false, errors: [{ message: 'not today' }] }, 'it refuses: not today'],
      ['it answers nonsense', { success: true }, 'its answer holds no certificate'],
    ])('certifies nobody when %s', async (_what, said, words) => {
      await ask(outside.url);
      outside.answer = () => Promise.resolve(said);
      await expect(issue()).rejects.toThrow(`no external certificate authority signs: ${outside.url}: ${words}`);
    });

    it('takes no certificate that is made out to another', async () => {
      await ask(outside.url);
      outside.answer = (request) => outside.sign({ ...request, subject: { ...request.subject, CN: 'somebody-else' } });
      await expect(issue()).rejects.toThrow('it made out the certificate to worker somebody-else');
    });

    async function issue(): Promise<unknown> {
      const { csr } = await createSigningRequest();
      const credentials = memberCredentials(authority.identity.current);
      const client = new NodeCAClient(authority.address, credentials, managerChannelOptions);
      try {
        const request = {
          role: NodeRole.WORKER,
          csr: Buffer.from(csr),
          token: authority.token('worker'),
          availability: NodeSpec_Availability.ACTIVE,
        };
        return await unary(client.issueNodeCertificate.bind(client), request, { timeoutMs: 5_000 });
      } finally {
        client.close();
      }
    }
  });
});

import { createPrivateKey, webcrypto } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { unary } from '../../../src/common/rpc-client.ts';
import {
  createRootCa,
  createSigningRequest,
  signNodeCertificate,
  type KeyPair,
  type NodeRoleName,
} from '../../../src/identity/certificate.ts';
import {
  anonymousCredentials,
  managerChannelOptions,
  memberCredentials,
} from '../../../src/identity/client-credentials.ts';
import { NodeIdentity } from '../../../src/identity/node-identity.ts';
import { TlsListener } from '../../../src/identity/tls-listener.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { addService } from '../../../src/common/rpc.ts';
import { newGrpcServer } from '../../../src/manager/rpc/grpc-server.ts';
import { CAClient, CAService } from '../../../src/proto/generated/docker/swarmkit/v1/ca.ts';

const HOUR_MS = 3_600_000;
const closers: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

/** A root certified by another as Docker Swarm does it: under the same name, without the key identifier of the signer. */
async function certifiedAsByDocker(root: KeyPair, signer: KeyPair, lifeMs = HOUR_MS): Promise<string> {
  await import('reflect-metadata');
  const lib = await import('@peculiar/x509');
  const certificate = new lib.X509Certificate(root.certificate);
  const der = createPrivateKey(signer.key).export({ type: 'pkcs8', format: 'der' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const twin = await lib.X509CertificateGenerator.create({
    serialNumber: '77',
    subject: certificate.subjectName,
    issuer: new lib.X509Certificate(signer.certificate).subjectName,
    notBefore: new Date(Date.now() - 2 * HOUR_MS),
    notAfter: new Date(Date.now() + lifeMs),
    publicKey: certificate.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']),
    signingAlgorithm: algorithm,
    extensions: [
      new lib.BasicConstraintsExtension(true, undefined, true),
      new lib.KeyUsagesExtension(lib.KeyUsageFlags.keyCertSign | lib.KeyUsageFlags.cRLSign, true),
      await lib.SubjectKeyIdentifierExtension.create(certificate.publicKey),
    ],
  });
  return `${twin.toString('pem')}\n`;
}

async function certified(signer: KeyPair, role: NodeRoleName, intermediates = ''): Promise<KeyPair> {
  const { csr, key } = await createSigningRequest();
  const subject = { nodeId: role, role, clusterId: 'cluster' };
  const validity = { nowMs: Date.now(), lifeMs: HOUR_MS };
  return { certificate: await signNodeCertificate(csr, subject, { ...signer, intermediates }, validity), key };
}

/** Serves with a certificate; returns the address. */
async function serve(pair: KeyPair, root: KeyPair): Promise<string> {
  const grpc = newGrpcServer();
  const identity = NodeIdentity.inMemory(root.certificate, pair);
  const listener = new TlsListener({ identity, grpc, isRemoved: () => false });
  const methods = {
    getRootCaCertificate: { access: 'anyone' as const, handle: () => ({ certificate: Buffer.from('answered') }) },
    getUnlockKey: { access: 'manager' as const, handle: () => ({ unlockKey: Buffer.of(), version: undefined }) },
  };
  addService(grpc, CAService, methods, { identify: listener.identify, log: silentLogger });
  closers.push(() => listener.close());
  return `127.0.0.1:${await listener.listen('127.0.0.1', 0)}`;
}

async function ask(address: string, credentials: ReturnType<typeof anonymousCredentials>): Promise<string> {
  const client = new CAClient(address, credentials, managerChannelOptions);
  try {
    const answer = await unary(client.getRootCaCertificate.bind(client), {}, { timeoutMs: 10_000 });
    return answer.certificate.toString();
  } finally {
    client.close();
  }
}

describe('a node that trusts a root', () => {
  it('still knows a manager of a Docker Swarm whose root has been replaced meanwhile', async () => {
    const [old, fresh] = [await createRootCa(Date.now()), await createRootCa(Date.now())];
    const address = await serve(await certified(fresh, 'manager', await certifiedAsByDocker(fresh, old)), fresh);
    const worker = NodeIdentity.inMemory(old.certificate, await certified(old, 'worker'));
    expect(await ask(address, memberCredentials(worker.current))).toBe('answered');
    expect(await ask(address, anonymousCredentials(old.certificate))).toBe('answered');
  });

  it.each<readonly [string, (old: KeyPair, fresh: KeyPair) => Promise<KeyPair>]>([
    [
      'a root that another certified',
      async (_, fresh) => {
        const twin = await certifiedAsByDocker(fresh, await createRootCa(Date.now()));
        return certified(fresh, 'manager', twin);
      },
    ],
    [
      'a root that was certified for a time that is over',
      async (old, fresh) => certified(fresh, 'manager', await certifiedAsByDocker(fresh, old, -HOUR_MS)),
    ],
    ['a worker', async (old, fresh) => certified(fresh, 'worker', await certifiedAsByDocker(fresh, old))],
    ['a root that nobody certified', async (_, fresh) => certified(fresh, 'manager', fresh.certificate)],
  ])('does not trust %s', async (_what, pairOf) => {
    const [old, fresh] = [await createRootCa(Date.now()), await createRootCa(Date.now())];
    const address = await serve(await pairOf(old, fresh), fresh);
    await expect(ask(address, anonymousCredentials(old.certificate))).rejects.toThrow('is not one of this swarm');
  });
});

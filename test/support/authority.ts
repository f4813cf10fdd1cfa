/** A certificate authority over a local store, served on a loopback port as a manager does. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/common/clock.ts';
import { newId } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import type { GrpcServer } from '../../src/common/grpc/server.ts';
import { addService } from '../../src/common/rpc.ts';
import { newGrpcServer } from '../../src/manager/rpc/grpc-server.ts';
import {
  createRootCa,
  createSigningRequest,
  signNodeCertificate,
  type KeyPair,
} from '../../src/identity/certificate.ts';
import { newJoinToken, rootDigest } from '../../src/identity/join-token.ts';
import { NodeIdentity } from '../../src/identity/node-identity.ts';
import { x509Pki } from '../../src/identity/pki.ts';
import { TlsListener } from '../../src/identity/tls-listener.ts';
import { cfsslAuthorities } from '../../src/manager/ca/cfssl-authorities.ts';
import { CertificateAuthority } from '../../src/manager/ca/certificate-authority.ts';
import type { Store } from '../../src/manager/store/store.ts';
import { CAService, NodeCAService } from '../../src/proto/generated/docker/swarmkit/v1/ca.ts';
import { Cluster } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeDescription } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from './local-store.ts';

export interface TestAuthority {
  readonly store: Store;
  readonly address: string;
  readonly directory: string;
  readonly identity: NodeIdentity;
  readonly grpc: GrpcServer;
  readonly listener: TlsListener;
  readonly removed: Set<string>;
  token(role: 'worker' | 'manager'): string;
  /** As if the node had a session: a rotation of the root waits for who has not come yet. */
  meet(node: NodeIdentity): Promise<unknown>;
  close(): Promise<void>;
}

/** A root that somebody brings: made by OpenSSL. @param key as `-newkey` takes it, with further arguments */
export function aRoot(key: readonly string[], subject = '/CN=brought', days = 4000): KeyPair {
  const args = ['req', '-x509', '-newkey', ...key, '-nodes', '-days', String(days), '-subj', subject, '-keyout', '-'];
  const text = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  const at = text.indexOf('-----BEGIN CERTIFICATE-----');
  return { certificate: text.slice(at), key: text.slice(0, at) };
}

/** A certificate for 127.0.0.1 that a root signs, by OpenSSL in a folder. */
export function aServerCertificate(folder: string, root: KeyPair): KeyPair {
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('root.pem'), root.certificate);
  writeFileSync(file('root.key'), root.key);
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1');
  const openssl = (...args: readonly string[]): string =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=server', '-keyout', file('key'), '-out', file('csr'));
  const signer = ['-CA', file('root.pem'), '-CAkey', file('root.key'), '-set_serial', '7', '-extfile', file('names')];
  return {
    certificate: openssl('x509', '-req', '-in', file('csr'), ...signer, '-days', '9'),
    key: readFileSync(file('key'), 'utf8'),
  };
}

export async function startAuthority(): Promise<TestAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'swarmd-authority-'));
  const { store } = localStore(systemClock);
  const root = await createRootCa(Date.now());
  const clusterId = newId();
  await store.update((tx) =>
    tx.cluster.create(
      Cluster.fromPartial({
        id: clusterId,
        spec: { annotations: { name: 'default' } },
        rootCa: {
          caCert: Buffer.from(root.certificate),
          caKey: Buffer.from(root.key),
          caCertHash: rootDigest(root.certificate),
          joinTokens: { worker: newJoinToken(root.certificate), manager: newJoinToken(root.certificate) },
        },
      }),
    ),
  );
  const { csr, key } = await createSigningRequest();
  const nodeId = newId();
  const validity = { nowMs: Date.now(), lifeMs: 3_600_000 };
  const certificate = await signNodeCertificate(csr, { nodeId, role: 'manager', clusterId }, root, validity);
  const identity = await NodeIdentity.create(join(directory, 'manager'), root.certificate, { certificate, key });
  const grpc = newGrpcServer();
  const removed = new Set<string>();
  const listener = new TlsListener({ identity, grpc, isRemoved: (id) => removed.has(id) });
  const authority = new CertificateAuthority({
    store,
    clock: systemClock,
    newId,
    pki: x509Pki,
    leader: () => undefined,
    external: cfsslAuthorities(() => identity.current),
  });
  const options = { identify: listener.identify, log: silentLogger };
  addService(grpc, CAService, authority.caMethods, options);
  addService(grpc, NodeCAService, authority.nodeCaMethods, options);
  const port = await listener.listen('127.0.0.1', 0);
  return {
    store,
    address: `127.0.0.1:${port}`,
    directory,
    identity,
    grpc,
    listener,
    removed,
    meet: ({ current }) =>
      store.update((tx) => {
        const node = tx.node.get(current.nodeId);
        if (node) tx.node.update({ ...node, description: NodeDescription.fromPartial({}) });
      }),
    token: (role) => store.read.cluster.all()[0]?.rootCa?.joinTokens?.[role] ?? '',
    close: async () => {
      await listener.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Callers of a manager's TLS port that are not its agents: with somebody's certificate, or with none. */
import { join } from 'node:path';
import { Client, Metadata, type ChannelCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import type { SwarmError } from '../../src/common/errors.ts';
import { rpcError } from '../../src/common/rpc-client.ts';
import { createRootCa, createSigningRequest, signNodeCertificate } from '../../src/identity/certificate.ts';
import {
  anonymousCredentials,
  managerChannelOptions,
  memberCredentials,
} from '../../src/identity/client-credentials.ts';
import { NodeIdentity, type IdentityState } from '../../src/identity/node-identity.ts';
import type { TestDaemon } from './cluster.ts';

const TIMEOUT_MS = 5_000;
const asBytes = (bytes: Buffer): Buffer => bytes;

/** What a daemon shows managers now. */
export async function identityOf(daemon: TestDaemon): Promise<IdentityState> {
  const identity = await NodeIdentity.load(join(daemon.directory, 'certificates'));
  if (!identity) throw new Error(`${daemon.name} has no certificate`);
  return identity.current;
}

/** A certificate with the names of another, made by a root of its own. */
export async function forgedFrom(original: IdentityState): Promise<IdentityState> {
  const root = await createRootCa(Date.now());
  const { csr, key } = await createSigningRequest();
  const certificate = await signNodeCertificate(csr, { ...original, role: 'manager' }, root, {
    nowMs: Date.now(),
    lifeMs: 3_600_000,
  });
  return { ...original, certificate, key };
}

/** Opens the client with the credentials, hands it over, and closes it. */
async function withClient<T>(
  address: string,
  credentials: ChannelCredentials,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(address, credentials, managerChannelOptions);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

export const asMember = <T>(
  address: string,
  identity: IdentityState,
  use: (client: Client) => Promise<T>,
): Promise<T> => withClient(address, memberCredentials(identity), use);

export const asNobody = <T>(address: string, rootBundle: string, use: (client: Client) => Promise<T>): Promise<T> =>
  withClient(address, anonymousCredentials(rootBundle), use);

/** How each method of a service answers an empty request: its error, or undefined when it was served. */
export async function knockAtAll(
  client: Client,
  service: ServiceDefinition,
): Promise<readonly (readonly [path: string, refusal: SwarmError | undefined])[]> {
  return Promise.all(Object.values(service).map(async (method) => [method.path, await knock(client, method)] as const));
}

function knock(client: Client, method: ServiceDefinition[string]): Promise<SwarmError | undefined> {
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + TIMEOUT_MS };
    const done = (error: unknown): void => resolve(error ? rpcError(error) : undefined);
    if (method.responseStream) {
      const stream = method.requestStream
        ? client.makeBidiStreamRequest(method.path, asBytes, asBytes, new Metadata(), options)
        : client.makeServerStreamRequest(method.path, asBytes, asBytes, Buffer.alloc(0), new Metadata(), options);
      stream.on('data', () => done(undefined)).on('error', done);
    } else if (method.requestStream) {
      client.makeClientStreamRequest(method.path, asBytes, asBytes, new Metadata(), options, done).end();
    } else {
      client.makeUnaryRequest(method.path, asBytes, asBytes, Buffer.alloc(0), new Metadata(), options, done);
    }
  });
}

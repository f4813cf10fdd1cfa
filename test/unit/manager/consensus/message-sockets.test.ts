import { get, type RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { SwarmError } from '../../../../src/common/errors.ts';
import { newId } from '../../../../src/common/ids.ts';
import type { GrpcServer } from '../../../../src/common/grpc/server.ts';
import { newGrpcServer } from '../../../../src/manager/rpc/grpc-server.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import {
  createRootCa,
  createSigningRequest,
  signNodeCertificate,
  type KeyPair,
  type NodeRoleName,
} from '../../../../src/identity/certificate.ts';
import { memberTls } from '../../../../src/identity/client-credentials.ts';
import { NodeIdentity } from '../../../../src/identity/node-identity.ts';
import { HTTP_1, TlsListener } from '../../../../src/identity/tls-listener.ts';
import { MemberList } from '../../../../src/manager/consensus/member-list.ts';
import { messageSockets, MESSAGES_PATH } from '../../../../src/manager/consensus/message-sockets.ts';

const clusterId = newId();

describe('the sockets on which a manager takes raft messages', () => {
  let root: KeyPair;
  let grpc: GrpcServer;
  let listener: TlsListener;
  let port: number;
  let isStarting: boolean;
  const steps: unknown[] = [];

  const identityOf = async (role: NodeRoleName): Promise<NodeIdentity> => {
    const { csr, key } = await createSigningRequest();
    const life = { nowMs: Date.now(), lifeMs: 3_600_000 };
    const certificate = await signNodeCertificate(csr, { nodeId: newId(), role, clusterId }, root, life);
    return NodeIdentity.inMemory(root.certificate, { certificate, key });
  };

  beforeEach(async () => {
    root = await createRootCa(Date.now());
    grpc = newGrpcServer();
    isStarting = false;
    const http = messageSockets({
      members: () => {
        if (isStarting) throw new SwarmError('unavailable', 'this manager is still starting');
        return new MemberList();
      },
      step: (message) => void steps.push(message),
      identify: (call) => listener.identify(call),
      log: silentLogger,
    });
    listener = new TlsListener({ identity: await identityOf('manager'), grpc, http, isRemoved: () => false });
    port = await listener.listen('127.0.0.1', 0);
  });
  afterEach(async () => {
    await listener.close();
  });

  /** 'open', or why it was not let in. */
  const dial = async (role: NodeRoleName | undefined, path = MESSAGES_PATH): Promise<string> => {
    const { ca, key, cert, servername } = memberTls((await identityOf(role ?? 'worker')).current);
    const options: ClientOptions = role === undefined ? { ca } : { ca, key, cert };
    const socket = new WebSocket(
      `wss://127.0.0.1:${port}${path}`,
      Object.assign(options, { servername, ALPNProtocols: [HTTP_1] }),
    );
    return new Promise((resolve) => {
      socket.once('open', () => resolve('open'));
      socket.once('error', (error) => resolve(error.message));
    }).then((answer) => {
      socket.terminate();
      return answer as string;
    });
  };

  it('are for managers', async () => {
    expect(await dial('manager')).toBe('open');
    expect(await dial('worker')).toContain('403');
    expect(await dial(undefined)).toContain('401');
    expect(await dial('manager', '/elsewhere')).toContain('404');
  });

  it('are closed while the manager starts, so that nobody takes it for reachable', async () => {
    isStarting = true;
    expect(await dial('manager')).toContain('503');
  });

  it('tell a browser what the port is for', async () => {
    const options: RequestOptions & ConnectionOptions = {
      host: '127.0.0.1',
      port,
      path: '/',
      rejectUnauthorized: false,
      ALPNProtocols: [HTTP_1],
    };
    const status = await new Promise((resolve, reject) => {
      get(options, (response) => resolve(response.resume().statusCode)).once('error', reject);
    });
    expect(status).toBe(426);
  });

  it('close on what is no message, and go on for others', async () => {
    const { current } = await identityOf('manager');
    const options: ClientOptions = Object.assign(memberTls(current), { ALPNProtocols: [HTTP_1] });
    const socket = new WebSocket(`wss://127.0.0.1:${port}${MESSAGES_PATH}`, options);
    const code = await new Promise((resolve) => {
      socket.once('open', () => socket.send(Buffer.from([255, 255, 255])));
      socket.once('close', resolve);
    });
    expect(code).toBe(1007);
    expect(steps).toEqual([]);
    expect(await dial('manager')).toBe('open');
  });
});

/** A gRPC server on loopback whose callers say who they are in metadata, for tests of services without certificates. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { credentials, Metadata, type Client, type ServiceDefinition } from '@grpc/grpc-js';
import type { ServerCall } from '../../src/common/grpc/server-call.ts';
import { silentLogger } from '../../src/common/log.ts';
import { addService, type Caller, type ServiceMethods } from '../../src/common/rpc.ts';
import { newGrpcServer } from '../../src/manager/rpc/grpc-server.ts';

const NODE_KEY = 'test-node';
const ROLE_KEY = 'test-role';

/** Metadata of a call made by a node. */
export function callAs(nodeId: string, role: Caller['role'] = 'worker'): Metadata {
  const metadata = new Metadata();
  metadata.set(NODE_KEY, nodeId);
  metadata.set(ROLE_KEY, role);
  return metadata;
}

function identify(call: { getPeer(): string }): Caller {
  const { metadata } = call as ServerCall;
  return {
    nodeId: String(metadata.get(NODE_KEY)[0] ?? ''),
    role: (metadata.get(ROLE_KEY)[0] as Caller['role'] | undefined) ?? 'anonymous',
    clusterId: 'cluster',
    address: call.getPeer(),
  };
}

export interface RpcRig {
  readonly address: string;
  add<D extends ServiceDefinition>(definition: D, methods: ServiceMethods<D>): void;
  /** A client with a connection of its own, directly or to the address given; closed with the rig. */
  client<C extends Client>(
    make: new (address: string, creds: ReturnType<typeof credentials.createInsecure>, options: object) => C,
    via?: string,
  ): C;
  close(): void;
}

export async function rpcRig(): Promise<RpcRig> {
  const grpc = newGrpcServer();
  const clients: Client[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    grpc.accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    add: (definition, methods) => addService(grpc, definition, methods, { identify, log: silentLogger }),
    client: (make, via = address) => {
      const client = new make(via, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.max_receive_message_length': -1,
      });
      clients.push(client);
      return client;
    },
    close: () => {
      for (const client of clients) client.close();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * The one TLS port of a manager. Clients are asked for a certificate but may come without one (they have none when they join).
 * gRPC gets each connection that does not ask for anything else: Docker agents forget to offer ALPN after their first certificate renewal.
 */
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';
import { SwarmError } from '../common/errors.ts';
import type { GrpcServer } from '../common/grpc/server.ts';
import type { Caller, IdentifyCaller } from '../common/rpc.ts';
import { ROLE_UNIT, type NodeRoleName } from './certificate.ts';
import { refuseStranger } from './stranger.ts';
import type { IdentityState, NodeIdentity } from './node-identity.ts';

/** Name of HTTP/1.1 in ALPN. */
export const HTTP_1 = 'http/1.1';

export interface TlsListenerOptions {
  readonly identity: NodeIdentity;
  /** Receives the connections. */
  readonly grpc: GrpcServer;
  /** Receives those whose client asks for HTTP/1.1; gRPC gets them as well without it. */
  readonly http?: HttpServer;
  /** Whether a node's certificate was withdrawn (the node was removed from the cluster). */
  readonly isRemoved: (nodeId: string) => boolean;
}

export class TlsListener {
  readonly #options: TlsListenerOptions;
  readonly #server: TlsServer;
  /** Every connection, from before its handshake on. */
  readonly #sockets = new Set<Socket>();
  /** Who is at the other end, by "ip:port"; read once per connection since reading a certificate costs more than a small call. */
  readonly #callers = new Map<string, Caller>();
  readonly #stopFollowing: () => void;

  constructor(options: TlsListenerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...contextOf(options.identity.current),
      // A client that takes either gets the first.
      ALPNProtocols: options.http ? ['h2', HTTP_1] : ['h2'],
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('secureConnection', (socket) => {
      this.#remember(socket);
      if (socket.alpnProtocol === HTTP_1) {
        options.http?.emit('connection', socket);
        return;
      }
      options.grpc.accept(socket);
    });
    // Handshakes that fail are the client's problem; without a listener they would surface as exceptions.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#stopFollowing = options.identity.onChange((state) => this.#server.setSecureContext(contextOf(state)));
  }

  /** Starts to listen; port 0 picks a free one. Resolves with the port. Throws unavailable naming the address when it is taken. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        const why = error.code === 'EADDRINUSE' ? 'the port is already in use' : error.message;
        reject(
          new SwarmError('unavailable', `cannot listen on ${host}:${port}: ${why}: choose another with --listen-addr`, {
            cause: error,
          }),
        );
      };
      this.#server.once('error', onError);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', onError);
        this.#server.on('error', () => undefined);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Finds the caller behind an RPC; for `RpcServerOptions.identify`. */
  readonly identify: IdentifyCaller = (call) => {
    const caller = this.#callers.get(call.getPeer());
    if (!caller) throw new SwarmError('unauthenticated', 'the connection this call came on is closed');
    if (caller.role === 'anonymous') return caller;
    refuseStranger(caller, this.#options.identity.current.clusterId, this.#options.isRemoved);
    return caller;
  };

  /** Stops listening and cuts all connections, also those that are still in their handshake: one that came through would never end. */
  async close(): Promise<void> {
    this.#stopFollowing();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #remember(socket: TLSSocket): void {
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#callers.set(address, callerOf(socket, address));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#callers.delete(address));
  }
}

const contextOf = (state: IdentityState) => ({ key: state.key, cert: state.certificate, ca: state.rootBundle });

function callerOf(socket: TLSSocket, address: string): Caller {
  const anonymous: Caller = { nodeId: '', role: 'anonymous', clusterId: '', address };
  // A certificate that does not verify (expired, other root) counts as none: its holder may still renew or join.
  if (!socket.authorized) return anonymous;
  const { subject } = socket.getPeerCertificate();
  const unit = String(subject?.OU ?? '');
  const role = (Object.keys(ROLE_UNIT) as NodeRoleName[]).find((name) => ROLE_UNIT[name] === unit);
  if (!role || !subject.CN || !subject.O) return anonymous;
  return { nodeId: String(subject.CN), role, clusterId: String(subject.O), address };
}

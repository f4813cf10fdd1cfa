/**
 * Receives the raft messages of the other managers, over a WebSocket from each: a frame a message. A gRPC stream would do the same for
 * several times the work, and with few clients that work is most of what a write waits for.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Message } from 'raft-ts';
import { WebSocketServer, type WebSocket } from 'ws';
import { ERROR_KINDS, isSwarmError, SwarmError, toSwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import { refuseUpgrade } from '../../common/refuse-upgrade.ts';
import type { IdentifyCaller } from '../../common/rpc.ts';
import { Message as MessagePb } from '../../proto/generated/raftpb/raftpb.ts';
import { incomingMessage } from './incoming-message.ts';
import type { MemberList } from './member-list.ts';

/** Path of the WebSocket on a manager's port. */
export const MESSAGES_PATH = '/raft/messages';
/** A message has at least one entry, however large; entries are limited where they are proposed. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** WebSocket close codes, RFC 6455 §7.4.1: the data makes no sense, and the sender may not send it. */
const CLOSE_INVALID = 1007;
export const CLOSE_REFUSED = 1008;

export interface MessageSocketsOptions {
  /** Throws unavailable while this manager is starting. */
  readonly members: () => MemberList;
  /** Hands a message to the raft node. */
  readonly step: (message: Message) => void;
  readonly identify: IdentifyCaller;
  readonly log: Logger;
}

/** An HTTP server to hand connections to; it does not listen itself. */
export function messageSockets(options: MessageSocketsOptions): Server {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const server = createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket' });
    response.end('This is the port of a swarm manager for other nodes: they speak gRPC.\n');
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    try {
      admit(request, options);
      sockets.handleUpgrade(request, socket, head, (client) => receive(client, options));
    } catch (error) {
      const { code, message } = toSwarmError(error);
      refuseUpgrade(socket, { status: ERROR_KINDS[code].http, type: 'text/plain', body: message });
    }
  });
  return server;
}

/** Throws while this manager is starting, too: whoever is let in takes it for reachable. */
function admit({ url, socket }: IncomingMessage, { identify, members }: MessageSocketsOptions): void {
  if (url !== MESSAGES_PATH)
    throw new SwarmError('notFound', `${url ?? ''}: no such path: ${MESSAGES_PATH} is all there is`);
  const { role, nodeId } = identify({ getPeer: () => `${socket.remoteAddress}:${socket.remotePort}` });
  if (role === 'manager') {
    members();
    return;
  }
  throw new SwarmError(
    role === 'anonymous' ? 'unauthenticated' : 'permissionDenied',
    `raft messages come from managers; ${role === 'anonymous' ? 'no certificate of this cluster was shown' : `node ${nodeId} is a worker`}`,
  );
}

function receive(client: WebSocket, { members, step, log }: MessageSocketsOptions): void {
  client.on('error', () => undefined);
  client.on('message', (data: Buffer) => {
    try {
      step(incomingMessage(MessagePb.decode(data), members()));
    } catch (error) {
      const isRefused = isSwarmError(error);
      if (!isRefused) log.warn({ err: error }, 'a raft message could not be read');
      const { message } = toSwarmError(error);
      client.close(isRefused ? CLOSE_REFUSED : CLOSE_INVALID, message.slice(0, MAX_REASON_CHARACTERS));
    }
  });
}

/** A reason has room for 123 bytes. */
const MAX_REASON_CHARACTERS = 100;

/**
 * Requests to leave HTTP: the WebSocket of `/swarmd/watch`, and what the container engine answers (attach, exec). Others are
 * answered without leaving.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { refuseUpgrade } from '../../common/refuse-upgrade.ts';
import { requestedMinor, withoutVersion } from '../api-version.ts';
import { requireSwarm, type ApiContext } from '../context.ts';
import { HttpError, plainError } from '../http-error.ts';
import { parseWatchRequest } from './watch-request.ts';
import { serveWatch } from './watch-socket.ts';

const WATCH_PATH = '/swarmd/watch';
/** Clients only listen. */
const MAX_CLIENT_MESSAGE_BYTES = 1024;

type TakeRequest = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export class Upgrades {
  readonly #context: ApiContext;
  readonly #stay: TakeRequest;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_CLIENT_MESSAGE_BYTES });

  /** @param stay answers a request as if it were none of these */
  constructor(context: ApiContext, stay: TakeRequest) {
    this.#context = context;
    this.#stay = stay;
  }

  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    try {
      this.#accept(request, socket, head);
    } catch (error) {
      refuse(socket, plainError(error));
    }
  }

  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = request.url ?? '/';
    const apiMinor = requestedMinor(url, this.#context.apiMinor);
    const target = withoutVersion(url);
    const { engine } = this.#context;
    if (engine?.serves(target)) {
      engine.splice(request, socket, head, apiMinor).catch((error: unknown) => refuse(socket, plainError(error)));
      return;
    }
    if (target.split('?')[0] !== WATCH_PATH || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      this.#stay(request, socket, head);
      return;
    }
    requireSameOrigin(request);
    const watch = parseWatchRequest(target);
    const swarm = requireSwarm(this.#context);
    const { clock, issuerOf } = this.#context.ports;
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      void serveWatch(client, swarm, watch, { apiMinor, issuerOf, clock, closing: this.#context.closing });
    });
  }
}

/** Browsers let any page open a WebSocket to any server: pages of others are refused. */
function requireSameOrigin(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  if (origin === undefined) return;
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new HttpError(403, `pages of ${origin} may not watch this swarm`);
  }
}

const refuse = (socket: Duplex, { status, message }: HttpError): void =>
  refuseUpgrade(socket, { status, type: 'application/json', body: JSON.stringify({ message }) });

/** What every route is given, and how a route reaches the manager. */
import type { Attachments } from './engine/attachments.ts';
import type { Engine } from './engine/engine.ts';
import { HttpError, rpcError, unavailable } from './http-error.ts';
import type { ApiReply } from './http/reply.ts';
import type { ApiRequest } from './http/request.ts';
import { decodeJson, type Decoder } from './json/decoder.ts';
import { parseJson } from './json/parse-json.ts';
import { stringify } from './json/stringify.ts';
import type { ApiPorts, LocalNodeInfo, Swarm } from './ports.ts';
import type { Query } from './query.ts';
import type { EventBus } from './streams/event-bus.ts';

export interface ApiContext {
  readonly ports: ApiPorts;
  readonly events: EventBus;
  /** The container engine of this node, where it has one. */
  readonly engine: Engine | undefined;
  /** How its containers come into networks of the swarm. */
  readonly attachments: Attachments | undefined;
  /** Minor number of the advertised API version. */
  readonly apiMinor: number;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
}

const NOT_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const WORKER =
  "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.";
const LOCKED =
  'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.';
const STARTING = 'This manager is starting or waits for the other managers: try again in a moment';

/** The manager half; throws 503 with the reason when there is none. */
export function requireSwarm(context: ApiContext): Swarm {
  const swarm = context.ports.swarm.current();
  if (!swarm) throw unavailable(whyNoSwarm(context.ports.node.info()));
  return swarm;
}

function whyNoSwarm(node: LocalNodeInfo): string {
  if (node.state === 'locked') return LOCKED;
  if (node.state === 'inactive') return NOT_MANAGER;
  if (!node.isManager) return WORKER;
  return node.error === '' ? STARTING : `${STARTING} (${node.error})`;
}

/** The manager half with everything committed so far visible in its store. */
export async function readSwarm(context: ApiContext, request: ApiRequest): Promise<Swarm> {
  const swarm = requireSwarm(context);
  try {
    await swarm.readBarrier(request.signal);
  } catch (error) {
    throw rpcError(error);
  }
  return swarm;
}

/** Ends a request with JSON. */
export function sendJson(reply: ApiReply, status: number, value: unknown): void {
  reply
    .code(status)
    .type('application/json')
    .send(`${stringify(value)}\n`);
}

/** Ends a request without a body. */
export const sendEmpty = (reply: ApiReply, status = 200): void => reply.code(status).send();

/** The body as `decoder` understands it. Throws badRequest. */
export function readBody<T>(request: ApiRequest, decoder: Decoder<T>): T {
  return decodeJson(decoder, parseJson(request.body.toString('utf8')));
}

export const queryOf = (request: ApiRequest): Query => request.query;

/** A part of the path. */
export function pathPart(request: ApiRequest, name: string): string {
  const value = request.params[name];
  if (!value) throw new HttpError(404, 'page not found');
  return value;
}

/** Which handler answers which path. Paths may have parts that vary (`/services/:id`) and a rest of any length (`/images/*`). */
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { HttpError } from '../http-error.ts';
import type { ApiReply } from './reply.ts';
import type { ApiRequest } from './request.ts';

/** Answers a request, at the latest when its promise resolves. What it throws becomes the answer. */
export type Handler = (request: ApiRequest, reply: ApiReply) => void | Promise<void>;

export interface Route {
  /** As registered, for example `/services/:id`. */
  readonly path: string;
  readonly handler: Handler;
  /** The handler reads `request.raw` itself, whatever its size; otherwise the body is read before it is called. */
  readonly streamsBody: boolean;
}

export interface RouteMatch {
  readonly route: Route;
  /** The parts of the path that vary, decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** Names and ids are far shorter; what is longer than this cannot be one. */
const MAX_PATH_PART = 4096;
const ANY: readonly HTTPMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Which methods a path answers. */
export interface RouteEntry {
  readonly path: string;
  readonly methods: readonly string[];
  /** Passed on to somebody else whatever the method. */
  readonly streamsBody: boolean;
}

export class Router {
  readonly #entries: RouteEntry[] = [];
  readonly #table = findMyWay({
    maxParamLength: MAX_PATH_PART,
    onBadUrl: (path) => {
      throw new HttpError(400, `the address cannot be read: '${path}' is not a valid url component`);
    },
    // Queries are read when somebody asks for them.
    querystringParser: () => NO_QUERY,
  });

  get(path: string, handler: Handler): void {
    this.on(['GET'], path, handler);
  }

  head(path: string, handler: Handler): void {
    this.on(['HEAD'], path, handler);
  }

  post(path: string, handler: Handler): void {
    this.on(['POST'], path, handler);
  }

  delete(path: string, handler: Handler): void {
    this.on(['DELETE'], path, handler);
  }

  /** All methods, with a body the handler reads itself. */
  stream(path: string, handler: Handler): void {
    this.#add(ANY, { path, handler, streamsBody: true });
  }

  on(methods: readonly HTTPMethod[], path: string, handler: Handler): void {
    this.#add(methods, { path, handler, streamsBody: false });
  }

  /**
   * The route of a request; undefined when there is none. Throws badRequest when the path cannot be decoded.
   * @param path without version; a query may follow
   */
  find(method: string, path: string): RouteMatch | undefined {
    const found = this.#table.find(method as HTTPMethod, path);
    if (!found) return undefined;
    // The table answers with its own handler when it cannot read the path.
    if (!found.store) found.handler(UNUSED, UNUSED, {}, undefined, {});
    // No object has an empty name.
    if (Object.values(found.params).includes('')) return undefined;
    return { route: found.store as Route, params: found.params };
  }

  /** All routes, in the order in which they were added. */
  get entries(): readonly RouteEntry[] {
    return this.#entries;
  }

  #add(methods: readonly HTTPMethod[], route: Route): void {
    this.#entries.push({ path: route.path, methods, streamsBody: route.streamsBody });
    this.#table.on([...methods], route.path, NOTHING, route);
  }
}

const NO_QUERY = {};
const NOTHING = (): void => undefined;
const UNUSED = undefined as never;

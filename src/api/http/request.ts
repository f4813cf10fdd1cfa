/** One request as routes see it. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import type { Query } from '../query.ts';

export class ApiRequest {
  readonly raw: IncomingMessage;
  /** Path and query without the version. */
  readonly url: string;
  /** Minor API version this request speaks: 41 for 1.41. */
  readonly apiMinor: number;
  /** The parts of the path that vary, decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** The whole body; empty when there is none, or when the route streams it. */
  readonly body: Buffer;
  readonly #openSignal: () => AbortSignal;
  #signal: AbortSignal | undefined;

  constructor(options: {
    readonly raw: IncomingMessage;
    readonly url: string;
    readonly apiMinor: number;
    readonly params: Readonly<Record<string, string | undefined>>;
    readonly body: Buffer;
    /** Makes {@link signal}. */
    readonly openSignal: () => AbortSignal;
  }) {
    this.raw = options.raw;
    this.url = options.url;
    this.apiMinor = options.apiMinor;
    this.params = options.params;
    this.body = options.body;
    this.#openSignal = options.openSignal;
  }

  get method(): string {
    return this.raw.method ?? 'GET';
  }

  /** As the client sent it. */
  get originalUrl(): string {
    return this.raw.url ?? '/';
  }

  get headers(): IncomingHttpHeaders {
    return this.raw.headers;
  }

  get query(): Query {
    const start = this.url.indexOf('?');
    return start < 0 ? NO_QUERY : (parse(this.url.slice(start + 1), '&', '=', ANY_NUMBER) as Query);
  }

  /**
   * Aborts when the client goes away before it has its answer, or the server closes. Made when first asked for; calls of the manager
   * take the request itself as their options, so that most never have to.
   */
  get signal(): AbortSignal {
    this.#signal ??= this.#openSignal();
    return this.#signal;
  }
}

const NO_QUERY: Query = {};
/** Of parameters. */
const ANY_NUMBER = { maxKeys: 0 };

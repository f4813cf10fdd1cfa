/**
 * What happens to every request of the API: its version is taken off and checked, its route found, its body read, its
 * handler called, and whatever goes wrong told as Docker tells it. Built for many small requests: what is the same for
 * all is made once, and what only some routes need is made when they ask for it.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { errorText } from '../../common/errors.ts';
import { requestedMinor, withoutVersion } from '../api-version.ts';
import { HttpError, plainError } from '../http-error.ts';
import { ClientGoneError, readWholeBody } from './body.ts';
import { goneSignals } from './gone-signals.ts';
import { ApiReply } from './reply.ts';
import { ApiRequest } from './request.ts';
import type { Route, Router } from './router.ts';

export interface ApplicationOptions {
  readonly router: Router;
  /** Minor version of the API that is advertised. */
  readonly apiMinor: number;
  /** Headers every answer has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBodyBytes: number;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
  /** Called when a request arrives; what it returns, when its answer has been sent. `route` is undefined for unknown paths. */
  readonly observe: (request: IncomingMessage) => (response: ServerResponse, route: string | undefined) => void;
  /** Something failed that should not have. */
  readonly failed: (error: unknown, request: IncomingMessage) => void;
}

export function application(options: ApplicationOptions): RequestListener {
  const { router, apiMinor, maxBodyBytes, observe } = options;
  const headers = Object.entries(options.headers).flat();
  const goneSignal = goneSignals(options.closing);

  return (raw, response) => {
    const reply = new ApiReply(response, headers);
    const sent = observe(raw);
    let route: Route | undefined;
    response.once('close', () => sent(response, route?.path));
    const fail = (error: unknown): void => {
      if (error instanceof ClientGoneError) response.destroy();
      else sendError(reply, error, (unexpected) => options.failed(unexpected, raw));
    };
    try {
      const originalUrl = (raw.url = withoutAuthority(raw.url ?? '/'));
      const minor = requestedMinor(originalUrl, apiMinor);
      const path = originalUrl.split('?', 1)[0] ?? '';
      if (path.includes('//')) {
        reply.redirect(originalUrl.replace(path, path.replaceAll(/\/{2,}/g, '/')), 301);
        return;
      }
      if (raw.method === 'OPTIONS') {
        reply.send();
        return;
      }
      const url = withoutVersion(originalUrl);
      const match = router.find(raw.method ?? 'GET', url);
      if (!match) throw new HttpError(404, 'page not found');
      route = match.route;
      const { handler, streamsBody } = match.route;
      const handle = (body: Buffer): void => {
        const openSignal = (): AbortSignal => goneSignal(response);
        const request = new ApiRequest({ raw, url, apiMinor: minor, params: match.params, body, openSignal });
        const answered = handler(request, reply);
        if (answered) answered.catch(fail);
      };
      if (streamsBody) {
        handle(NO_BODY);
        return;
      }
      readWholeBody(raw, maxBodyBytes, (error, body) => {
        try {
          if (error) throw error;
          handle(body);
        } catch (thrown) {
          fail(thrown);
        }
      });
    } catch (error) {
      fail(error);
    }
  };
}

/** Proxies name the server in the address, too. */
function withoutAuthority(url: string): string {
  if (url.startsWith('/')) return url;
  const path = url.replace(/^https?:\/\/[^/?]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

const NO_BODY = Buffer.alloc(0);
const TOO_LARGE = 413;

function sendError(reply: ApiReply, error: unknown, unexpected: (error: unknown) => void): void {
  const { status, message } = plainError(error);
  if (status >= 500 && !(error instanceof HttpError)) unexpected(error);
  if (reply.sent) {
    // The answer had begun as a stream: all that is left is to cut it.
    reply.raw.destroy(error instanceof Error ? error : new Error(errorText(error)));
    return;
  }
  // The rest of such a body is not waited for.
  if (status === TOO_LARGE) reply.header('connection', 'close');
  reply
    .code(status)
    .type('application/json')
    .send(`${JSON.stringify({ message })}\n`);
}

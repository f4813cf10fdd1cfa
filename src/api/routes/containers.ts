/** The container half, where there is no engine: empty lists and clean misses, so that clients that look there go on. */
import { pathPart, sendJson } from '../context.ts';
import { badRequest, HttpError } from '../http-error.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';

/** Says that a thing does not exist in the words of the engine. */
const MISSES: Readonly<Record<string, (name: string) => string>> = {
  containers: (name) => `No such container: ${name}`,
  exec: (name) => `No such exec instance: ${name}`,
  images: (name) => `no such image: ${name}: No such image: ${name.includes(':') ? name : `${name}:latest`}`,
  volumes: (name) => `get ${name}: no such volume`,
  plugins: (name) => `plugin "${name}" not found`,
};

export function registerContainers(app: Router): void {
  app.get('/containers/json', (_request, reply) => sendJson(reply, 200, []));
  app.get('/images/json', (_request, reply) => sendJson(reply, 200, []));
  app.get('/volumes', (_request, reply) => sendJson(reply, 200, { Volumes: [], Warnings: null }));
  app.get('/plugins', (_request, reply) => sendJson(reply, 200, []));

  app.get('/system/df', (_request, reply) =>
    sendJson(reply, 200, { LayersSize: 0, Images: [], Containers: [], Volumes: [], BuildCache: [] }),
  );

  // Clients only want to pin a digest: without a registry at hand the quickest answer is the best one.
  app.get('/distribution/*', (request) => {
    const name = pathPart(request, '*').replace(/\/json$/, '');
    if (!/^[\w.:@/-]+$/.test(name)) throw badRequest('invalid reference format');
    throw new HttpError(404, `no registry is asked for ${name}: its digest is not pinned`);
  });

  for (const [kind, miss] of Object.entries(MISSES)) {
    app.on(['GET', 'HEAD', 'DELETE'], `/${kind}/*`, (request) => {
      throw new HttpError(404, miss(nameIn(request)));
    });
    app.post(`/${kind}/*`, (request) => {
      const path = pathPart(request, '*');
      if (/^(create|prune|load)$/.test(path) || path === '') throw noEngine(`${kind}/${path}`);
      throw new HttpError(404, miss(nameIn(request)));
    });
  }
  for (const url of ['/volumes/create', '/images/create', '/build', '/build/prune', '/commit', '/auth']) {
    app.post(url, () => {
      throw noEngine(url.slice(1));
    });
  }
}

/** The object a path below a kind speaks of, without the verb at its end. */
const nameIn = (request: ApiRequest): string =>
  pathPart(request, '*').replace(
    /\/(json|top|logs|stats|changes|export|archive|attach|start|stop|restart|kill|update|rename|pause|unpause|wait|exec|resize|history|get|push|tag|enable|disable|upgrade|set)$/,
    '',
  );

const noEngine = (what: string): HttpError =>
  new HttpError(
    501,
    `rpc error: code = Unimplemented desc = ${what} needs a container engine, and this node has none: ask a node with an engine`,
  );

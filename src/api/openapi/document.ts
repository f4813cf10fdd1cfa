/** The OpenAPI document of what is served, made from the table of routes itself. */
import { sendJson, type ApiContext } from '../context.ts';
import type { RouteEntry, Router } from '../http/router.ts';
import { OPERATIONS, type Operation } from './operations.ts';

export function registerOpenApi(router: Router, context: ApiContext): void {
  const { version } = context.ports.node.system();
  router.get('/openapi.json', (_request, reply) =>
    sendJson(reply, 200, openApiDocument(router.entries, { version, apiVersion: `1.${context.apiMinor}` })),
  );
}

interface Versions {
  /** Of swarmd. */
  readonly version: string;
  /** Of Docker's API, for example "1.41". */
  readonly apiVersion: string;
}

/** Routes that only answer for a container engine are named, but not described: its own documents do. */
function openApiDocument(entries: readonly RouteEntry[], { version, apiVersion }: Versions): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { path, methods } of entries) {
    const operations = (paths[templateOf(path)] ??= {});
    for (const method of methods) {
      operations[method.toLowerCase()] = operationOf(path, OPERATIONS[`${method} ${path}`]);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'swarmd',
      version,
      description: `The Swarm half of the Docker Engine API ${apiVersion}, and what swarmd offers beyond it below /swarmd.`,
    },
    servers: [{ url: '/' }, { url: `/v${apiVersion}` }],
    paths,
    components: {
      schemas: { Error: { type: 'object', required: ['message'], properties: { message: { type: 'string' } } } },
    },
  };
}

/** "/services/:id" → "/services/{id}" */
const templateOf = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}').replace(/\*$/, '{rest}');

function operationOf(path: string, operation: Operation = { summary: 'Of the container engine of this node' }): object {
  const { summary, query = [], body, status = 200 } = operation;
  const inPath = [...templateOf(path).matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name ?? '', 'path', true));
  return {
    summary,
    parameters: [...inPath, ...query.map((name) => parameter(name, 'query', name === 'version'))],
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: body.schema } } } } : {}),
    responses: {
      [status]: { description: 'done' },
      default: {
        description: 'refused, with the reason',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

const parameter = (name: string, place: 'path' | 'query', required: boolean): object => ({
  name,
  in: place,
  required,
  schema: { type: 'string' },
});

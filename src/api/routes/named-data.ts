/** What /secrets and /configs have in common: everything but what is stored and what is shown of it. */
import type { ControlService } from '../../manager/control/control.ts';
import type { Annotations, Version } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { pathPart, queryOf, readSwarm, requireSwarm, sendEmpty, sendJson, type ApiContext } from '../context.ts';
import { parseFilters } from '../filters.ts';
import { viaRpc } from '../http-error.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';
import { sendList } from '../list-reply.ts';
import type { StoreReads } from '../ports.ts';
import { queryVersion } from '../query.ts';

type Reads = StoreReads['read'];

interface Stored {
  readonly id: string;
  readonly spec?: { readonly annotations?: Annotations | undefined } | undefined;
}

/** One kind of named data. */
export interface NamedData<Spec, Data extends Stored> {
  readonly kind: 'secret' | 'config';
  /** What lists can be narrowed by. */
  readonly filters: readonly string[];
  /** What a client sends. Throws badRequest. */
  specOf(request: ApiRequest): Spec;
  /** Those clients may see. */
  all(read: Reads): readonly Data[];
  /** By id, name or the beginning of an id. Throws 404, or 400 when several match. */
  find(read: Reads, key: string): Data;
  toDocker(data: Data): object;
  create(control: ControlService, spec: Spec, request: ApiRequest): Promise<Data | undefined>;
  update(control: ControlService, id: string, version: Version, spec: Spec, request: ApiRequest): Promise<unknown>;
  remove(control: ControlService, id: string, request: ApiRequest): Promise<unknown>;
}

export function registerNamedData<Spec, Data extends Stored>(
  app: Router,
  context: ApiContext,
  data: NamedData<Spec, Data>,
): void {
  const path = `/${data.kind}s`;
  const named = (read: Reads, request: ApiRequest): Data => data.find(read, pathPart(request, 'id'));

  app.get(path, async (request, reply) => {
    const filters = parseFilters(queryOf(request), data.filters);
    const { store } = await readSwarm(context, request);
    const listed = data.all(store.read).filter(({ id, spec }) => {
      const { name = '', labels } = spec?.annotations ?? {};
      return (
        filters.allowsPrefix('id', id) &&
        filters.allowsPrefixInAnyCase('name', name) &&
        filters.allows('names', name) &&
        filters.allowsLabels('label', labels)
      );
    });
    return sendList(reply, listed, (each) => data.toDocker(each));
  });

  app.post(`${path}/create`, async (request, reply) => {
    const spec = data.specOf(request);
    const created = await viaRpc(data.create(requireSwarm(context).control, spec, request));
    return sendJson(reply, 201, { ID: created?.id ?? '' });
  });

  app.get(`${path}/:id`, async (request, reply) => {
    const { store } = await readSwarm(context, request);
    return sendJson(reply, 200, data.toDocker(named(store.read, request)));
  });

  app.post(`${path}/:id/update`, async (request, reply) => {
    const spec = data.specOf(request);
    const version = queryVersion(queryOf(request), data.kind, true);
    const { control, store } = await readSwarm(context, request);
    await viaRpc(data.update(control, named(store.read, request).id, version, spec, request));
    return sendEmpty(reply);
  });

  app.delete(`${path}/:id`, async (request, reply) => {
    const { control, store } = await readSwarm(context, request);
    await viaRpc(data.remove(control, named(store.read, request).id, request));
    return sendEmpty(reply, 204);
  });
}

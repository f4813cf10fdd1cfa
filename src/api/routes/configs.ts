/** /configs */
import {
  pathPart,
  queryOf,
  readBody,
  readSwarm,
  requireSwarm,
  sendEmpty,
  sendJson,
  sendList,
  type ApiContext,
} from '../context.ts';
import { configSpec, configSpecToProto, configToDocker } from '../docker/secret.ts';
import { parseFilters } from '../filters.ts';
import { viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';
import { findConfig } from '../lookup.ts';
import { queryVersion } from '../query.ts';

/** Unlike secrets, configs are not asked for by `names`. */
const FILTERS = ['id', 'label', 'name'];

export function registerConfigs(app: Router, context: ApiContext): void {
  app.get('/configs', async (request, reply) => {
    const filters = parseFilters(queryOf(request), FILTERS);
    const swarm = await readSwarm(context, request);
    const configs = swarm.store.read.config
      .all()
      .filter(
        ({ id, spec }) =>
          filters.allowsPrefix('id', id) &&
          filters.allowsPrefix('name', spec?.annotations?.name ?? '') &&
          filters.allowsLabels('label', spec?.annotations?.labels),
      );
    return sendList(reply, configs, configToDocker);
  });

  app.post('/configs/create', async (request, reply) => {
    const spec = configSpecToProto(readBody(request, configSpec));
    const swarm = requireSwarm(context);
    const { config } = await viaRpc(swarm.control.createConfig({ id: '', spec }, request));
    return sendJson(reply, 201, { ID: config?.id ?? '' });
  });

  app.get('/configs/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    return sendJson(reply, 200, configToDocker(findConfig(swarm.store.read, pathPart(request, 'id'))));
  });

  app.post('/configs/:id/update', async (request, reply) => {
    const spec = configSpecToProto(readBody(request, configSpec));
    const configVersion = queryVersion(queryOf(request), 'config', true);
    const swarm = await readSwarm(context, request);
    const { id } = findConfig(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.updateConfig({ configId: id, configVersion, spec }, request));
    return sendEmpty(reply);
  });

  app.delete('/configs/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    const { id } = findConfig(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.removeConfig({ configId: id }, request));
    return sendEmpty(reply, 204);
  });
}

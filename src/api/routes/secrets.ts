/** /secrets */
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
import { secretSpec, secretSpecToProto, secretToDocker } from '../docker/secret.ts';
import { parseFilters } from '../filters.ts';
import { viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';
import { findSecret } from '../lookup.ts';
import { queryVersion } from '../query.ts';

const FILTERS = ['id', 'label', 'name', 'names'];

export function registerSecrets(app: Router, context: ApiContext): void {
  app.get('/secrets', async (request, reply) => {
    const filters = parseFilters(queryOf(request), FILTERS);
    const swarm = await readSwarm(context, request);
    const secrets = swarm.store.read.secret
      .all()
      .filter(
        ({ id, internal, spec }) =>
          !internal &&
          filters.allowsPrefix('id', id) &&
          filters.allowsPrefix('name', spec?.annotations?.name ?? '') &&
          filters.allows('names', spec?.annotations?.name ?? '') &&
          filters.allowsLabels('label', spec?.annotations?.labels),
      );
    return sendList(reply, secrets, secretToDocker);
  });

  app.post('/secrets/create', async (request, reply) => {
    const spec = secretSpecToProto(readBody(request, secretSpec));
    const swarm = requireSwarm(context);
    const { secret } = await viaRpc(swarm.control.createSecret({ id: '', spec }, request));
    return sendJson(reply, 201, { ID: secret?.id ?? '' });
  });

  app.get('/secrets/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    return sendJson(reply, 200, secretToDocker(findSecret(swarm.store.read, pathPart(request, 'id'))));
  });

  app.post('/secrets/:id/update', async (request, reply) => {
    const spec = secretSpecToProto(readBody(request, secretSpec));
    const secretVersion = queryVersion(queryOf(request), 'secret', true);
    const swarm = await readSwarm(context, request);
    const { id } = findSecret(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.updateSecret({ secretId: id, secretVersion, spec }, request));
    return sendEmpty(reply);
  });

  app.delete('/secrets/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    const { id } = findSecret(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.removeSecret({ secretId: id }, request));
    return sendEmpty(reply, 204);
  });
}

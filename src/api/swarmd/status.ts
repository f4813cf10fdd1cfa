/** /swarmd/status, /swarmd/services/{id}/explain, /livez, /readyz, /metrics: what swarmd tells beyond the Docker API. */
import { pathPart, readSwarm, requireSwarm, sendJson, type ApiContext } from '../context.ts';
import { HttpError, viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';
import { findService } from '../lookup.ts';

export function registerStatus(app: Router, context: ApiContext): void {
  const { node, swarm: port, metrics } = context.ports;

  app.get('/swarmd/status', (_request, reply) => {
    const { stateHash, ...status } = requireSwarm(context).status();
    const logRepair = node.info().repair ?? null;
    return sendJson(reply, 200, { version: node.system().version, ...status, logRepair, stateHash: stateHash() });
  });

  app.get('/swarmd/services/:id/explain', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    const { id } = findService(swarm.store.read, pathPart(request, 'id'));
    return sendJson(reply, 200, await viaRpc(swarm.explainService(id, request.signal)));
  });

  app.get('/livez', (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'));

  app.get('/readyz', (_request, reply) => {
    const { state, isManager, error } = node.info();
    const status = port.current()?.status();
    const isReady = status ? status.leaderId !== '' && status.appliedIndex > 0 : state === 'active' && !isManager;
    if (isReady) return reply.type('text/plain; charset=utf-8').send('ok\n');
    const reason = status
      ? 'no leader is known: more than half of the managers must be reachable'
      : `this node is ${state}${error === '' ? '' : ` (${error})`}`;
    throw new HttpError(503, `not ready: ${reason}`);
  });

  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
}

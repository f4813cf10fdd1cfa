/** POST /swarmd/plan: what creating or updating a service would do, with the body and query of the request that does it. */
import { queryOf, readBody, readSwarm, sendJson, type ApiContext } from '../context.ts';
import type { Router } from '../http/router.ts';
import { generatedName } from '../docker/generated-name.ts';
import { serviceSpec } from '../docker/service-spec.ts';
import { localNetworks } from '../engine/local-networks.ts';
import { viaRpc } from '../http-error.ts';
import { findService } from '../lookup.ts';
import { queryText, queryVersion } from '../query.ts';
import { parseRollback, resolveSpec } from '../routes/service-request.ts';

/** Without `service` the plan is that of a new one. */
export function registerPlan(app: Router, context: ApiContext): void {
  app.post('/swarmd/plan', async (request, reply) => {
    const query = queryOf(request);
    const docker = readBody(request, serviceSpec);
    const name = queryText(query, 'service');
    const serviceVersion = name === '' ? undefined : queryVersion(query, 'service');
    const rollback = parseRollback(query);
    const swarm = await readSwarm(context, request);
    const named = docker.Name ? docker : { ...docker, Name: generatedName() };
    const spec = await resolveSpec(named, swarm.store.read, localNetworks(context, request));
    const serviceId = name === '' ? '' : findService(swarm.store.read, name).id;
    const plan = await viaRpc(
      swarm.planService(async (control) => {
        const { service } = serviceVersion
          ? await control.updateService({ serviceId, serviceVersion, spec, rollback })
          : await control.createService({ id: '', spec });
        return service;
      }, request.signal),
    );
    return sendJson(reply, 200, plan);
  });
}

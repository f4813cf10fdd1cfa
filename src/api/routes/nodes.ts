/** /nodes */
import { pathPart, queryOf, readBody, readSwarm, sendEmpty, sendJson, type ApiContext } from '../context.ts';
import { memberships, nodeSpec, nodeSpecToProto, nodeToDocker, roles } from '../docker/node.ts';
import { parseFilters } from '../filters.ts';
import { viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';
import { ObjectBytes } from '../json/object-bytes.ts';
import { sendList } from '../list-reply.ts';
import { findNode } from '../lookup.ts';
import { queryFlag, queryVersion } from '../query.ts';

const FILTERS = ['id', 'label', 'membership', 'name', 'node.label', 'role'];

export function registerNodes(app: Router, context: ApiContext): void {
  const bytes = new ObjectBytes(nodeToDocker);

  app.get('/nodes', async (request, reply) => {
    const filters = parseFilters(queryOf(request), FILTERS);
    const wantedRoles = filters.enumValues('role', roles);
    const wantedMemberships = filters.enumValues('membership', memberships);
    const swarm = await readSwarm(context, request);
    const nodes = swarm.store.read.node
      .all()
      .filter(
        (node) =>
          filters.allowsPrefix('id', node.id) &&
          filters.allowsPrefix('name', node.description?.hostname ?? '') &&
          filters.allowsLabels('label', node.description?.engine?.labels) &&
          filters.allowsLabels('node.label', node.spec?.annotations?.labels) &&
          (wantedRoles?.includes(node.role) ?? true) &&
          (!wantedMemberships || (node.spec !== undefined && wantedMemberships.includes(node.spec.membership))),
      );
    return sendList(reply, nodes, (node) => bytes.of(node, request.apiMinor));
  });

  app.get('/nodes/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    return sendJson(reply, 200, nodeToDocker(findNode(swarm.store.read, pathPart(request, 'id'))));
  });

  app.post('/nodes/:id/update', async (request, reply) => {
    const docker = readBody(request, nodeSpec);
    const nodeVersion = queryVersion(queryOf(request), 'node');
    const swarm = await readSwarm(context, request);
    const spec = nodeSpecToProto(docker);
    const { id } = findNode(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.updateNode({ nodeId: id, nodeVersion, spec }, request));
    return sendEmpty(reply);
  });

  app.delete('/nodes/:id', async (request, reply) => {
    const force = queryFlag(queryOf(request), 'force');
    const swarm = await readSwarm(context, request);
    const { id } = findNode(swarm.store.read, pathPart(request, 'id'));
    await viaRpc(swarm.control.removeNode({ nodeId: id, force }, request));
    return sendEmpty(reply);
  });
}

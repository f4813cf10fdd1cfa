/** /swarm: the cluster's settings, and this node's membership. */
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { queryOf, readBody, readSwarm, requireSwarm, sendEmpty, sendJson, type ApiContext } from '../context.ts';
import { clusterToDocker, joinTokensToDocker, mergeSwarmSpec, swarmSpec } from '../docker/cluster.ts';
import { leaveRefusal } from '../docker/leave-refusal.ts';
import { initRequestToPort, joinRequestToPort, swarmInitRequest, swarmJoinRequest } from '../docker/membership.ts';
import { formatUnlockKey, parseUnlockKey, swarmUnlockRequest } from '../docker/unlock-key.ts';
import { HttpError, plainError, unavailable, viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';
import type { LocalNodeInfo, Swarm } from '../ports.ts';
import { queryFlag, queryStrictFlag, queryVersion } from '../query.ts';

const NO_SWARM = 'This node is not part of a swarm';
const IN_SWARM =
  'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.';
const LEAVE_LOCKED = 'Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message.';

export function registerSwarm(app: Router, context: ApiContext): void {
  const { node, issuerOf } = context.ports;

  app.get('/swarm', async (request, reply) => {
    const cluster = clusterOf(await readSwarm(context, request));
    return sendJson(reply, 200, { ...clusterToDocker(cluster, issuerOf), JoinTokens: joinTokensToDocker(cluster) });
  });

  app.post('/swarm/update', async (request, reply) => {
    const query = queryOf(request);
    const docker = readBody(request, swarmSpec);
    const clusterVersion = queryVersion(query, 'swarm');
    const rotation = {
      workerJoinToken: queryStrictFlag(query, 'rotateWorkerToken', true),
      managerJoinToken: queryStrictFlag(query, 'rotateManagerToken', true),
      managerUnlockKey: queryStrictFlag(query, 'rotateManagerUnlockKey', true),
    };
    const swarm = await readSwarm(context, request);
    const { id, spec: base } = clusterOf(swarm);
    const spec = mergeSwarmSpec(docker, base ?? {});
    await viaRpc(swarm.control.updateCluster({ clusterId: id, clusterVersion, spec, rotation }, request));
    return sendEmpty(reply);
  });

  app.get('/swarm/unlockkey', async (request, reply) => {
    const swarm = requireSwarm(context);
    const { unlockKey } = await viaRpc(swarm.control.getUnlockKey({}, request));
    return sendJson(reply, 200, { UnlockKey: formatUnlockKey(unlockKey) });
  });

  app.post('/swarm/unlock', async (request, reply) => {
    const docker = readBody(request, swarmUnlockRequest);
    const { state } = node.info();
    if (state !== 'locked') {
      // Of a node that is no manager nothing more is said.
      requireSwarm(context);
      throw new HttpError(409, 'swarm is not locked');
    }
    await changeMembership(() => node.unlock(parseUnlockKey(docker.UnlockKey ?? '')));
    return sendEmpty(reply);
  });

  app.post('/swarm/init', async (request, reply) => {
    const docker = readBody(request, swarmInitRequest);
    if (node.info().state !== 'inactive' && !docker.ForceNewCluster) throw unavailable(IN_SWARM);
    const nodeId = await changeMembership(() => node.initSwarm(initRequestToPort(docker)));
    return sendJson(reply, 200, nodeId);
  });

  app.post('/swarm/join', async (request, reply) => {
    const docker = readBody(request, swarmJoinRequest);
    if (node.info().state !== 'inactive') throw unavailable(IN_SWARM);
    await changeMembership(() => node.joinSwarm(joinRequestToPort(docker)));
    return sendEmpty(reply);
  });

  app.post('/swarm/leave', async (request, reply) => {
    const force = queryFlag(queryOf(request), 'force');
    const refusal = force ? undefined : whyNotLeave(node.info(), context.ports.swarm.current());
    if (refusal) throw unavailable(refusal);
    if (node.info().state === 'inactive') throw unavailable(NO_SWARM);
    await changeMembership(() => node.leaveSwarm({ force }));
    return sendEmpty(reply);
  });
}

function whyNotLeave(info: LocalNodeInfo, swarm: Swarm | undefined): string | undefined {
  if (info.state === 'inactive') return NO_SWARM;
  if (info.state === 'locked') return LEAVE_LOCKED;
  return info.isManager ? leaveRefusal(swarm?.store.read) : undefined;
}

/** The one cluster a store holds. */
function clusterOf(swarm: Swarm): Cluster {
  const cluster = swarm.store.read.cluster.byName('default') ?? swarm.store.read.cluster.all()[0];
  if (!cluster) throw unavailable('the swarm is still being set up: try again in a moment');
  return cluster;
}

/** Refusals of the local node are told as they are, without gRPC's prefix. */
async function changeMembership<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    throw plainError(error);
  }
}

/** What each route of our own means to a client; its body is described by the decoder that reads it. */
import { swarmSpec } from '../docker/cluster.ts';
import { swarmInitRequest, swarmJoinRequest } from '../docker/membership.ts';
import { networkCreateRequest } from '../docker/network.ts';
import { nodeSpec } from '../docker/node.ts';
import { configSpec, secretSpec } from '../docker/secret.ts';
import { serviceSpec } from '../docker/service-spec.ts';
import { swarmUnlockRequest } from '../docker/unlock-key.ts';
import type { Decoder } from '../json/decoder.ts';

export interface Operation {
  readonly summary: string;
  /** Names of query parameters. */
  readonly query?: readonly string[];
  readonly body?: Decoder<unknown>;
  /** Status of success. @default 200 */
  readonly status?: number;
}

const LOGS = ['details', 'follow', 'stdout', 'stderr', 'since', 'timestamps', 'tail'];

/** By method and path of the route. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'HEAD /_ping': { summary: 'Whether the daemon answers, and its API version' },
  'GET /_ping': { summary: 'Whether the daemon answers, and its API version' },
  'GET /version': { summary: 'Versions of the daemon' },
  'GET /info': { summary: 'This node, its engine and its swarm' },
  'GET /events': { summary: 'What happens, one JSON object per line', query: ['since', 'until', 'filters'] },

  'GET /swarm': { summary: 'The swarm with its join tokens' },
  'POST /swarm/init': { summary: 'Found a swarm; answers with the node id', body: swarmInitRequest },
  'POST /swarm/join': { summary: 'Join a swarm', body: swarmJoinRequest },
  'POST /swarm/leave': { summary: 'Leave the swarm', query: ['force'] },
  'POST /swarm/update': {
    summary: 'Change the settings of the swarm, rotate tokens and keys',
    query: ['version', 'rotateWorkerToken', 'rotateManagerToken', 'rotateManagerUnlockKey'],
    body: swarmSpec,
  },
  'GET /swarm/unlockkey': { summary: 'Key that unlocks managers' },
  'POST /swarm/unlock': { summary: 'Unlock this manager', body: swarmUnlockRequest },

  'GET /nodes': { summary: 'All nodes', query: ['filters'] },
  'GET /nodes/:id': { summary: 'One node' },
  'POST /nodes/:id/update': { summary: 'Change a node', query: ['version'], body: nodeSpec },
  'DELETE /nodes/:id': { summary: 'Remove a node', query: ['force'] },

  'GET /services': { summary: 'All services', query: ['filters', 'status'] },
  'POST /services/create': { summary: 'Create a service', body: serviceSpec, status: 201 },
  'GET /services/:id': { summary: 'One service', query: ['insertDefaults'] },
  'POST /services/:id/update': {
    summary: 'Change a service or roll it back',
    query: ['version', 'registryAuthFrom', 'rollback'],
    body: serviceSpec,
  },
  'DELETE /services/:id': { summary: 'Remove a service' },
  'GET /services/:id/logs': { summary: 'Output of the tasks of a service', query: LOGS },

  'GET /tasks': { summary: 'All tasks', query: ['filters'] },
  'GET /tasks/:id': { summary: 'One task' },
  'GET /tasks/:id/logs': { summary: 'Output of a task', query: LOGS },

  'GET /secrets': { summary: 'All secrets, without their data', query: ['filters'] },
  'POST /secrets/create': { summary: 'Create a secret', body: secretSpec, status: 201 },
  'GET /secrets/:id': { summary: 'One secret, without its data' },
  'POST /secrets/:id/update': { summary: 'Change the labels of a secret', query: ['version'], body: secretSpec },
  'DELETE /secrets/:id': { summary: 'Remove a secret', status: 204 },

  'GET /configs': { summary: 'All configs', query: ['filters'] },
  'POST /configs/create': { summary: 'Create a config', body: configSpec, status: 201 },
  'GET /configs/:id': { summary: 'One config' },
  'POST /configs/:id/update': { summary: 'Change the labels of a config', query: ['version'], body: configSpec },
  'DELETE /configs/:id': { summary: 'Remove a config', status: 204 },

  'GET /networks': { summary: 'Networks of the swarm and of this machine', query: ['filters'] },
  'GET /networks/': { summary: 'As /networks', query: ['filters'] },
  'POST /networks/create': { summary: 'Create a network', body: networkCreateRequest, status: 201 },
  'POST /networks/prune': { summary: 'Remove networks nothing uses', query: ['filters'] },
  'GET /networks/:id': { summary: 'One network', query: ['scope', 'verbose'] },
  'DELETE /networks/:id': { summary: 'Remove a network', status: 204 },
  'POST /networks/:id/connect': { summary: 'Connect a container of this machine to a network' },
  'POST /networks/:id/disconnect': { summary: 'Disconnect a container of this machine from a network' },

  'GET /swarmd/status': { summary: 'The managers as this one sees them' },
  'GET /swarmd/services/:id/explain': { summary: 'Why each task of a service is where it is, or waits' },
  'POST /swarmd/plan': {
    summary: 'What creating or updating a service would do',
    query: ['service', 'version', 'rollback'],
    body: serviceSpec,
  },
  'GET /swarmd/usage': { summary: 'What running tasks use of their nodes now' },
  'GET /swarmd/backup': { summary: 'The state of the swarm, to restore it from' },
  'GET /livez': { summary: 'Whether the process lives' },
  'GET /readyz': { summary: 'Whether this node can serve' },
  'GET /metrics': { summary: 'Measurements in the format of Prometheus' },
  'GET /openapi.json': { summary: 'This document' },
};

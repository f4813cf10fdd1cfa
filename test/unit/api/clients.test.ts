/**
 * What products for Docker Swarm ask of a manager, call by call: the same status codes, and every field they read. Written
 * after what each of them sends; none of them is run here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { apiRig, NODE_ID, type ApiRig, type Json } from '../../support/api-rig.ts';

interface Call {
  readonly call: string;
  readonly body?: object;
  readonly status?: number;
  /** Paths of fields that are read; `[]` stands for the first element. */
  readonly reads?: readonly string[];
}

const filters = (value: object): string => `filters=${encodeURIComponent(JSON.stringify(value))}`;
const app = (image: string): object => ({
  Name: 'app',
  Labels: { 'traefik.enable': 'true' },
  TaskTemplate: {
    ContainerSpec: {
      Image: image,
      Env: ['A=1'],
      // As written by people who go by Docker's older documents.
      HealthCheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000 },
      Mounts: [{ Type: 'volume', Source: 'data', Target: '/data' }],
    },
    Networks: [{ Target: 'captain-overlay-network' }],
    Placement: { Constraints: ['node.role==manager'] },
    RestartPolicy: { Condition: 'any' },
  },
  Mode: { Replicated: { Replicas: 1 } },
  EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 8080, PublishMode: 'host', Protocol: 'tcp' }] },
});

const NODE_FIELDS = [
  '[].ID',
  '[].Version.Index',
  '[].Spec.Role',
  '[].Spec.Availability',
  '[].Description.Hostname',
  '[].Description.Platform.Architecture',
  '[].Description.Platform.OS',
  '[].Description.Resources.NanoCPUs',
  '[].Description.Resources.MemoryBytes',
  '[].Description.Engine.EngineVersion',
  '[].Status.State',
  '[].Status.Addr',
  '[].ManagerStatus.Leader',
];
const TASK_FIELDS = [
  '[].ID',
  '[].ServiceID',
  '[].Slot',
  '[].NodeID',
  '[].DesiredState',
  '[].Status.State',
  '[].CreatedAt',
];

const CLIENTS: Readonly<Record<string, readonly Call[]>> = {
  CapRover: [
    { call: 'GET /nodes', reads: NODE_FIELDS },
    { call: `GET /nodes/${NODE_ID}`, reads: ['Version.Index', 'Spec.Role', 'Spec.Availability'] },
    {
      call: `POST /nodes/${NODE_ID}/update?version={nodes/${NODE_ID}}&Role=manager`,
      body: { Role: 'manager', Availability: 'active', Labels: { captain: '1' } },
    },
    { call: 'GET /networks/captain-overlay-network', status: 404 },
    {
      call: 'POST /networks/create?Name=captain-overlay-network',
      body: { Name: 'captain-overlay-network', CheckDuplicate: true, Driver: 'overlay', Attachable: true },
      status: 201,
      reads: ['Id'],
    },
    { call: 'GET /secrets?name=captain-salt', reads: [] },
    {
      call: 'POST /secrets/create?Name=captain-salt',
      body: { Name: 'captain-salt', Data: 'eA==' },
      status: 201,
      reads: ['ID'],
    },
    { call: 'GET /services/app', status: 404 },
    { call: 'POST /services/create?Name=app&TaskTemplate=%7B%7D', body: app('a:1'), status: 201, reads: ['ID'] },
    {
      call: 'GET /services/app',
      reads: [
        'ID',
        'Version.Index',
        'Spec.Name',
        'Spec.TaskTemplate.ContainerSpec.Image',
        'Spec.EndpointSpec.Ports',
        'Spec.Mode.Replicated.Replicas',
      ],
    },
    { call: 'POST /services/app/update?version={services/app}', body: app('a:2') },
    { call: 'POST /services/app/update?version=1', body: app('a:3'), status: 409 },
    {
      call: `GET /tasks?${filters({ service: ['app'], 'desired-state': ['running'] })}`,
      reads: ['[].Status.ContainerStatus.ContainerID', ...TASK_FIELDS],
    },
    { call: 'GET /services/app/logs?stdout=1&stderr=1&tail=100&timestamps=1' },
  ],
  Dokploy: [
    { call: 'GET /services', reads: ['[].ID', '[].Spec.Name'] },
    {
      call: 'GET /services/app',
      reads: [
        'Spec.TaskTemplate.ContainerSpec.Healthcheck.Test',
        'Spec.TaskTemplate.Networks',
        'Spec.TaskTemplate.ForceUpdate',
      ],
    },
    { call: 'GET /nodes', reads: NODE_FIELDS },
    { call: 'GET /swarm', reads: ['JoinTokens.Worker', 'JoinTokens.Manager', 'ID'] },
    { call: 'GET /info', reads: ['Swarm.LocalNodeState', 'Swarm.NodeID', 'Swarm.NodeAddr', 'ServerVersion'] },
    { call: `GET /containers/json?all=1&${filters({ label: ['com.docker.swarm.service.name=app'] })}` },
  ],
  Portainer: [
    { call: 'GET /_ping' },
    { call: 'GET /version', reads: ['ApiVersion', 'Version', 'Components'] },
    {
      call: 'GET /info',
      reads: ['Swarm.NodeID', 'Swarm.ControlAvailable', 'Swarm.Cluster.ID', 'NCPU', 'MemTotal', 'Name'],
    },
    {
      call: 'GET /services?status=true',
      reads: ['[].ID', '[].ServiceStatus.RunningTasks', '[].ServiceStatus.DesiredTasks', '[].Endpoint.Spec'],
    },
    { call: 'GET /tasks', reads: TASK_FIELDS },
    { call: 'GET /networks', reads: ['[].Id', '[].Name', '[].Driver', '[].Scope', '[].IPAM.Driver'] },
    { call: 'GET /secrets', reads: ['[].ID', '[].Spec.Name', '[].CreatedAt'] },
    { call: 'GET /configs' },
    {
      call: 'POST /configs/create',
      body: { Name: 'site', Data: 'eA==', Labels: { a: 'b' } },
      status: 201,
      reads: ['ID'],
    },
    { call: 'GET /configs/site', reads: ['ID', 'Version.Index', 'Spec.Data', 'Spec.Labels.a', 'UpdatedAt'] },
    { call: 'DELETE /configs/site', status: 204 },
    { call: 'GET /containers/json?all=1' },
    { call: 'GET /images/json?all=0' },
    { call: 'GET /volumes', reads: ['Volumes'] },
    { call: 'GET /system/df', reads: ['Images', 'Containers', 'Volumes'] },
    { call: 'GET /plugins' },
  ],
  Swarmpit: [
    { call: 'GET /v1.30/version', reads: ['ApiVersion'] },
    { call: 'GET /v1.30/nodes', reads: NODE_FIELDS },
    { call: 'GET /v1.30/tasks', reads: [...TASK_FIELDS, '[].Spec.ContainerSpec.Image'] },
    { call: `GET /v1.30/services?${filters({ id: ['app'] })}` },
    { call: 'GET /v1.30/networks', reads: ['[].Id', '[].Name'] },
    { call: 'GET /v1.30/secrets', reads: ['[].ID'] },
    { call: `GET /v1.30/services?${filters({ label: ['com.docker.stack.namespace'] })}` },
  ],
  'the visualizer': [
    {
      call: 'GET /nodes',
      reads: [
        '[].ID',
        '[].Description.Hostname',
        '[].Status.State',
        '[].Spec.Role',
        '[].Description.Resources.MemoryBytes',
      ],
    },
    { call: 'GET /services', reads: ['[].ID', '[].Spec.Name', '[].Spec.Mode'] },
    {
      call: `GET /tasks?${filters({ 'desired-state': { running: true } })}`,
      reads: [...TASK_FIELDS, '[].Spec.ContainerSpec.Image', '[].UpdatedAt'],
    },
  ],
  "Traefik's provider": [
    { call: 'GET /v1.24/version', reads: ['ApiVersion', 'Version'] },
    {
      call: 'GET /v1.24/services',
      reads: [
        '[].ID',
        '[].Spec.Name',
        '[].Spec.Labels',
        '[].Endpoint.VirtualIPs.0.Addr',
        '[].Endpoint.VirtualIPs.0.NetworkID',
      ],
    },
    { call: `GET /v1.24/networks?${filters({ scope: { swarm: true } })}`, reads: ['[].Id', '[].Name'] },
    {
      call: `GET /v1.24/tasks?${filters({ service: { app: true }, 'desired-state': { running: true } })}`,
      reads: ['[].ID', '[].Slot', '[].Status.State', '[].NodeID'],
    },
    { call: `GET /v1.24/nodes/${NODE_ID}`, reads: ['Status.Addr'] },
  ],
};

let rig: ApiRig;
beforeAll(async () => {
  rig = await apiRig();
});
afterAll(() => rig.close());

describe.each(Object.entries(CLIENTS))('%s', (_name, calls) => {
  it('gets the answers it is made for', async () => {
    for (const { call, body, status = 200, reads = [] } of calls) {
      const [method = '', url = ''] = call.split(' ');
      const answer = await rig.call(method, await withVersion(url), body);
      expect([call, answer.status, answer.message]).toEqual([call, status, status < 400 ? '' : answer.message]);
      for (const path of reads) expect([call, path, fieldAt(answer.json, path)]).not.toContain(undefined);
      if (call.startsWith('POST /services/create')) await giveItATask();
    }
  });
});

/** Puts the present version of the object `{kind/name}` into the address. */
async function withVersion(url: string): Promise<string> {
  const place = /\{(.+)\}/.exec(url);
  if (!place) return url;
  const { json } = await rig.call('GET', `/${place[1]}`);
  return url.replace(place[0], String(json['Version']?.['Index']));
}

const fieldAt = (json: Json, path: string): unknown =>
  path
    .replaceAll('[]', '0')
    .split('.')
    .filter(Boolean)
    .reduce<Json | undefined>((value, key) => value?.[key], json);

/** Nothing here makes tasks and gives out addresses: this stands for what the loops of a manager would do. */
async function giveItATask(): Promise<void> {
  const { store } = rig;
  const service = store.read.service.byName('app');
  const network = store.read.network.byName('captain-overlay-network');
  if (!service || !network) throw new Error('the service is not there');
  await store.update((tx) => {
    tx.service.update({
      ...service,
      endpoint: {
        spec: service.spec?.endpoint,
        ports: [],
        virtualIps: [{ networkId: network.id, addr: '10.0.1.2/24' }],
      },
    });
    tx.task.create(
      Task.fromPartial({
        id: 'task1aaaaaaaaaaaaaaaaaaaa',
        serviceId: service.id,
        serviceAnnotations: service.spec?.annotations,
        slot: 1,
        nodeId: NODE_ID,
        spec: service.spec?.task,
        desiredState: 512,
        status: {
          state: 512,
          runtimeStatus: { $case: 'container', value: { containerId: 'c1', pid: 7 } },
        },
      }),
    );
  });
}

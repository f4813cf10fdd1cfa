/** Builds the objects of one scheduler case: what the short words of the case file mean in terms of the store. */
import { NetworkAttachment, Node, Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  ContainerSpec,
  NodeSpec_Availability,
  ServiceSpec,
  TaskSpec,
} from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  Mount,
  Mount_Type,
  NodeStatus_State,
  PortConfig_Protocol,
  PortConfig_PublishMode,
  TaskState,
  type Placement,
  type PortConfig,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { genericListOf, type GenericAmount } from '../../../src/manager/placement/generic-resource.ts';
import { refuseUnknownMembers } from './case.ts';

export type Amounts = Readonly<Record<string, GenericAmount>>;

export interface CaseNode {
  readonly id: string;
  readonly state?: string;
  readonly availability?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly engineLabels?: Readonly<Record<string, string>>;
  readonly res?: Amounts;
  readonly platform?: { readonly os?: string; readonly arch?: string };
  readonly plugins?: readonly string[];
  readonly hostname?: string;
}

export interface CaseService {
  readonly id: string;
  readonly pending?: number;
  /** Ids of the pending tasks. */
  readonly tasks?: readonly string[];
  readonly prefs?: readonly string[];
  readonly reserve?: Amounts;
  readonly limits?: Amounts;
  readonly constraints?: readonly string[];
  readonly platforms?: readonly (readonly [string, string])[];
  readonly maxReplicas?: number;
  readonly hostPorts?: readonly string[];
  readonly mounts?: readonly string[];
  readonly networkDrivers?: readonly string[];
  readonly logDriver?: string;
  /** Of the tasks. */
  readonly specVersion?: number;
  readonly serviceSpecVersion?: number;
  readonly desired?: string;
}

const NODE_MEMBERS = [
  'id',
  'state',
  'availability',
  'labels',
  'engineLabels',
  'res',
  'platform',
  'plugins',
  'hostname',
];
const SERVICE_MEMBERS = [
  'id',
  'pending',
  'tasks',
  'prefs',
  'reserve',
  'limits',
  'constraints',
  'platforms',
  'maxReplicas',
  'hostPorts',
  'mounts',
  'networkDrivers',
  'logDriver',
  'specVersion',
  'serviceSpecVersion',
  'desired',
];

/** What a node has when the case does not say. */
const PLENTY = { nanoCpus: 1e15, memoryBytes: 1e15, generic: [] };

export function nodeOf(given: CaseNode): Node {
  refuseUnknownMembers({ ...given }, NODE_MEMBERS, 'member of node');
  return Node.fromPartial({
    id: given.id,
    spec: {
      annotations: { labels: { ...given.labels } },
      availability: named(NodeSpec_Availability, given.availability ?? 'active'),
    },
    status: { state: named(NodeStatus_State, given.state ?? 'READY') },
    description: {
      hostname: given.hostname ?? given.id,
      resources: given.res ? resourcesOf(given.res) : PLENTY,
      platform: given.platform && { os: given.platform.os ?? '', architecture: given.platform.arch ?? '' },
      engine: (given.plugins || given.engineLabels) && {
        labels: { ...given.engineLabels },
        plugins: (given.plugins ?? []).map((plugin) => pair(plugin, (type, name) => ({ type, name }))),
      },
    },
  });
}

export function serviceOf(given: CaseService): Service {
  refuseUnknownMembers({ ...given }, SERVICE_MEMBERS, 'member of service');
  const mounts = (given.mounts ?? []).map((mount) =>
    pair(mount, (kind, driver) =>
      Mount.fromPartial({
        type: named(Mount_Type, kind),
        source: 'source',
        target: '/target',
        volumeOptions: { driverConfig: { name: driver } },
      }),
    ),
  );
  const placement: Placement = {
    constraints: given.constraints ?? [],
    preferences: (given.prefs ?? []).map((spreadDescriptor) => ({
      Preference: { $case: 'spread', value: { spreadDescriptor } },
    })),
    platforms: (given.platforms ?? []).map(([os, architecture]) => ({ os, architecture })),
    maxReplicas: given.maxReplicas ?? 0,
  };
  const task: TaskSpec = {
    ...TaskSpec.fromPartial({}),
    runtime: { $case: 'container', value: { ...ContainerSpec.fromPartial({ image: 'image' }), mounts } },
    resources: {
      reservations: given.reserve && resourcesOf(given.reserve),
      limits: given.limits && resourcesOf(given.limits),
    },
    placement,
    logDriver: given.logDriver === undefined ? undefined : { name: given.logDriver, options: {} },
  };
  return {
    ...Service.fromPartial({
      id: given.id,
      specVersion: { index: given.serviceSpecVersion ?? given.specVersion ?? 1 },
    }),
    spec: { ...ServiceSpec.fromPartial({ annotations: { name: given.id } }), task },
  };
}

let taskNumber = 0;

/** A task of a service of the case, PENDING unless said otherwise. */
export function taskOf(given: CaseService, overrides: Partial<Task> = {}): Task {
  const { spec } = serviceOf(given);
  taskNumber++;
  return {
    ...Task.fromPartial({
      id: `task-${String(taskNumber).padStart(6, '0')}`,
      slot: taskNumber,
      serviceId: given.id,
      specVersion: { index: given.specVersion ?? 1 },
      desiredState: named(TaskState, given.desired ?? 'RUNNING'),
      status: { state: TaskState.PENDING, message: 'pending task scheduling' },
    }),
    endpoint: { spec: undefined, ports: (given.hostPorts ?? []).map(hostPortOf), virtualIps: [] },
    networks: (given.networkDrivers ?? []).map((name) =>
      NetworkAttachment.fromPartial({ network: { id: name, driverState: { name } } }),
    ),
    spec: spec?.task,
    ...overrides,
  };
}

export const hostPortOf = (text: string): PortConfig =>
  pair(text, (port, protocol) => ({
    name: '',
    protocol: named(PortConfig_Protocol, protocol),
    targetPort: Number(port),
    publishedPort: Number(port),
    publishMode: PortConfig_PublishMode.HOST,
  }));

/** Value of an enum by its name in any case; fails on a name it does not have. */
export function named<T extends number>(values: Readonly<Record<string, T>>, name: string): T {
  const value = values[name.toUpperCase()];
  if (value === undefined) throw new Error(`no such value: ${name}`);
  return value;
}

function resourcesOf({ cpu = 0, mem = 0, ...generic }: Amounts) {
  return {
    nanoCpus: Number(cpu),
    memoryBytes: Number(mem),
    generic: genericListOf(new Map(Object.entries(generic))),
  };
}

function pair<T>(text: string, make: (first: string, second: string) => T): T {
  const at = text.indexOf('/');
  return make(text.slice(0, at), text.slice(at + 1));
}

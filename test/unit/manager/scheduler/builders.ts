/** Nodes, services and tasks for tests of the scheduler, with everything but what matters filled in. */
import { genericListOf } from '../../../../src/manager/placement/generic-resource.ts';
import { Node, Service, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  ContainerSpec,
  NodeSpec_Availability,
  ServiceSpec,
  TaskSpec,
} from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeStatus_State,
  PortConfig_Protocol,
  PortConfig_PublishMode,
  TaskState,
  TaskStatus,
  type Placement,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';

export interface NodeOptions {
  readonly isReady?: boolean;
  readonly isDrained?: boolean;
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
  readonly generic?: Readonly<Record<string, number | readonly string[]>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** "Type/name" */
  readonly plugins?: readonly string[];
  readonly platform?: { readonly os: string; readonly architecture: string };
}

export function aNode(id: string, options: NodeOptions = {}): Node {
  const node = Node.fromPartial({
    id,
    status: { state: options.isReady === false ? NodeStatus_State.DOWN : NodeStatus_State.READY },
    spec: {
      annotations: { labels: { ...options.labels } },
      availability: options.isDrained ? NodeSpec_Availability.DRAIN : NodeSpec_Availability.ACTIVE,
    },
    description: { hostname: `host-${id}` },
  });
  return {
    ...node,
    description: node.description && {
      ...node.description,
      platform: options.platform,
      resources: {
        nanoCpus: options.nanoCpus ?? 1e12,
        memoryBytes: options.memoryBytes ?? 1e12,
        generic: genericListOf(new Map(Object.entries(options.generic ?? {}))),
      },
      engine: {
        engineVersion: '',
        labels: {},
        plugins: (options.plugins ?? []).map((plugin) => {
          const [type = '', name = ''] = plugin.split('/');
          return { type, name };
        }),
      },
    },
  };
}

export interface ServiceOptions {
  readonly image?: string;
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
  readonly generic?: Readonly<Record<string, number>>;
  readonly constraints?: readonly string[];
  readonly preferences?: readonly string[];
  readonly platforms?: readonly { readonly os: string; readonly architecture: string }[];
  readonly maxReplicas?: number;
  /** TCP ports published in host mode. */
  readonly hostPorts?: readonly number[];
  readonly specVersion?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const taskSpecOf = (options: ServiceOptions): TaskSpec => {
  const placement: Placement = {
    constraints: options.constraints ?? [],
    preferences: (options.preferences ?? []).map((spreadDescriptor) => ({
      Preference: { $case: 'spread', value: { spreadDescriptor } },
    })),
    platforms: options.platforms ?? [],
    maxReplicas: options.maxReplicas ?? 0,
  };
  return {
    ...TaskSpec.fromPartial({}),
    runtime: { $case: 'container', value: ContainerSpec.fromPartial({ image: options.image ?? 'nginx' }) },
    resources: {
      reservations: {
        nanoCpus: options.nanoCpus ?? 0,
        memoryBytes: options.memoryBytes ?? 0,
        generic: genericListOf(new Map(Object.entries(options.generic ?? {}))),
      },
    },
    placement,
  };
};

export const aService = (id: string, options: ServiceOptions = {}): Service => ({
  ...Service.fromPartial({ id, specVersion: { index: options.specVersion ?? 1 } }),
  spec: {
    ...ServiceSpec.fromPartial({ annotations: { name: id, labels: { ...options.labels } } }),
    task: taskSpecOf(options),
  },
  endpoint: { spec: undefined, ports: portsOf(options), virtualIps: [] },
});

export interface TaskOptions extends ServiceOptions {
  readonly slot?: number;
  readonly nodeId?: string;
  readonly state?: TaskState;
  readonly desiredState?: TaskState;
}

export const aTask = (id: string, serviceId: string, options: TaskOptions = {}): Task => ({
  ...Task.fromPartial({ id }),
  serviceId,
  slot: options.slot ?? 1,
  nodeId: options.nodeId ?? '',
  spec: taskSpecOf(options),
  specVersion: { index: options.specVersion ?? 1 },
  desiredState: options.desiredState ?? TaskState.RUNNING,
  status: TaskStatus.fromPartial({ state: options.state ?? TaskState.PENDING, message: 'pending task scheduling' }),
  endpoint: { spec: undefined, ports: portsOf(options), virtualIps: [] },
});

const portsOf = ({ hostPorts = [] }: ServiceOptions) =>
  hostPorts.map((port) => ({
    name: '',
    protocol: PortConfig_Protocol.TCP,
    targetPort: port,
    publishedPort: port,
    publishMode: PortConfig_PublishMode.HOST,
  }));

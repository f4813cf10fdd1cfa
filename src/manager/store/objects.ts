/**
 * What the store holds: one table per object kind, and the indexes of each.
 * Index keys are strings; composite keys join their parts with NUL.
 */
import type {
  Cluster,
  Config,
  Extension,
  Network,
  NetworkAttachment,
  Node,
  Resource,
  Secret,
  Service,
  Task,
  Volume,
} from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, type Annotations } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** Object type of each kind. The order is the order in snapshots: what others refer to comes first. */
export interface StoreObjects {
  cluster: Cluster;
  node: Node;
  network: Network;
  secret: Secret;
  config: Config;
  volume: Volume;
  extension: Extension;
  resource: Resource;
  service: Service;
  task: Task;
}

export type ObjectKind = keyof StoreObjects;
export type StoreObject = StoreObjects[ObjectKind];

/** Keys under which one index files an object. */
export type IndexKeys<T> = (object: T) => readonly string[];

interface KindDefinition<T> {
  /** Unique, case-insensitive name; undefined for kinds without unique names. */
  readonly uniqueName: ((object: T) => string | undefined) | undefined;
  readonly indexes: Readonly<Record<string, IndexKeys<T>>>;
}

const specName = (object: {
  readonly spec?: { readonly annotations?: Annotations | undefined } | undefined;
}): string | undefined => object.spec?.annotations?.name;
const annotationName = (object: { readonly annotations?: Annotations | undefined }): string | undefined =>
  object.annotations?.name;

/**
 * The slot a task fills: (service, number) in replicated modes, (service, node) in global ones. Tasks of services tell
 * by themselves, since their numbers begin at 1; those of jobs begin at 0, so there the service's mode has to say it.
 */
export const slotKey = (
  task: Pick<Task, 'serviceId' | 'slot' | 'nodeId'>,
  isNamedByNode: boolean = task.slot === 0,
): string => `${task.serviceId}\0${isNamedByNode ? task.nodeId : task.slot}`;

/** A job's task without a number may fill slot 0 or the slot of its node; it is found under both. */
const slotKeys = (task: Task): readonly string[] =>
  task.jobIteration && task.slot === 0 ? unique([slotKey(task, false), slotKey(task, true)]) : [slotKey(task)];

const unique = (keys: readonly string[]): readonly string[] => (keys.length < 2 ? keys : [...new Set(keys)]);

/** Networks a service's tasks attach to, by id: the task-level list, or the deprecated service-level one. */
const serviceNetworks = (service: Service): readonly string[] =>
  unique([...(service.spec?.task?.networks ?? []), ...(service.spec?.networks ?? [])].map((n) => n.target));

/** An address somebody holds in a network; no two objects may have the same. */
export const addressKey = (networkId: string, address: string): string => `${networkId}\0${address.split('/')[0]}`;

const attachmentAddresses = (attachments: readonly NetworkAttachment[]): readonly string[] =>
  attachments.flatMap(({ network, addresses }) => addresses.map((address) => addressKey(network?.id ?? '', address)));

/** Those of a task that may still use them. */
const taskAddresses = (task: Task): readonly string[] =>
  task.networks.length === 0 || (task.status?.state ?? TaskState.NEW) > TaskState.RUNNING
    ? []
    : attachmentAddresses(task.networks);

const containerOf = (runtime: { readonly $case: string; readonly value: unknown } | undefined) =>
  runtime?.$case === 'container'
    ? (runtime.value as {
        readonly secrets: readonly { secretId: string }[];
        readonly configs: readonly { configId: string }[];
      })
    : undefined;

export const KINDS = {
  cluster: { uniqueName: specName, indexes: {} },
  node: {
    uniqueName: undefined,
    indexes: {
      /** Hostname as the node reports it; not unique. */
      hostname: (n: Node) => (n.description?.hostname ? [n.description.hostname.toLowerCase()] : []),
      /** Actual role (NodeRole number). */
      role: (n: Node) => [String(n.role)],
      membership: (n: Node) => [String(n.spec?.membership ?? 0)],
      address: (n: Node) => attachmentAddresses(n.attachments),
    },
  },
  network: { uniqueName: specName, indexes: {} },
  secret: { uniqueName: specName, indexes: {} },
  config: { uniqueName: specName, indexes: {} },
  volume: { uniqueName: specName, indexes: { group: (v: Volume) => [v.spec?.group ?? ''] } },
  extension: { uniqueName: annotationName, indexes: {} },
  resource: { uniqueName: annotationName, indexes: { kind: (r: Resource) => [r.kind] } },
  service: {
    uniqueName: specName,
    indexes: {
      network: serviceNetworks,
      secret: (s: Service) => unique((containerOf(s.spec?.task?.runtime)?.secrets ?? []).map((r) => r.secretId)),
      config: (s: Service) => unique((containerOf(s.spec?.task?.runtime)?.configs ?? []).map((r) => r.configId)),
      address: (s: Service) =>
        (s.endpoint?.virtualIps ?? [])
          .filter(({ addr }) => addr !== '')
          .map(({ networkId, addr }) => addressKey(networkId, addr)),
    },
  },
  task: {
    uniqueName: undefined,
    indexes: {
      service: (t: Task) => [t.serviceId],
      node: (t: Task) => [t.nodeId],
      slot: slotKeys,
      /** Desired state (TaskState number). */
      desiredState: (t: Task) => [String(t.desiredState)],
      secret: (t: Task) => unique((containerOf(t.spec?.runtime)?.secrets ?? []).map((r) => r.secretId)),
      config: (t: Task) => unique((containerOf(t.spec?.runtime)?.configs ?? []).map((r) => r.configId)),
      address: taskAddresses,
      network: (t: Task) => unique(t.networks.map((n) => n.network?.id ?? '').filter((id) => id !== '')),
    },
  },
} as const satisfies { readonly [K in ObjectKind]: KindDefinition<StoreObjects[K]> };

/** Names of the indexes of a kind, besides the unique name and the id. */
export type IndexName<K extends ObjectKind> = keyof (typeof KINDS)[K]['indexes'] & string;

export const OBJECT_KINDS = Object.keys(KINDS) as readonly ObjectKind[];

/** The key under which a unique name is filed. */
export const nameKey = (name: string): string => name.toLowerCase();

/** Unique name of an object as its owner wrote it; undefined for kinds without one or when it is empty. */
export function uniqueNameOf<K extends ObjectKind>(kind: K, object: StoreObjects[K]): string | undefined {
  const definition = KINDS[kind] as unknown as KindDefinition<StoreObjects[K]>;
  return definition.uniqueName?.(object) || undefined;
}

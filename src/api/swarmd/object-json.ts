/** Any object of the store in the form the Docker API gives it, for watchers. */
import type { Change } from '../../manager/store/change.ts';
import type { ObjectKind, StoreObjects } from '../../manager/store/objects.ts';
import { clusterToDocker } from '../docker/cluster.ts';
import { networkToDocker } from '../docker/network.ts';
import { nodeToDocker } from '../docker/node.ts';
import { configToDocker, secretToDocker } from '../docker/secret.ts';
import { serviceToDocker } from '../docker/service.ts';
import { taskToDocker } from '../docker/task.ts';
import type { IssuerOf } from '../ports.ts';

/** Kinds that can be watched; secrets without their data, the cluster without its keys and tokens. */
export const WATCHED_KINDS = [
  'cluster',
  'node',
  'network',
  'secret',
  'config',
  'service',
  'task',
] as const satisfies readonly ObjectKind[];
export type WatchedKind = (typeof WATCHED_KINDS)[number];

export interface ObjectJsonOptions {
  readonly apiMinor: number;
  readonly issuerOf: IssuerOf;
}

type Writers = { readonly [K in WatchedKind]: (object: StoreObjects[K], options: ObjectJsonOptions) => object };

const WRITERS: Writers = {
  cluster: (cluster, { issuerOf }) => clusterToDocker(cluster, issuerOf),
  node: nodeToDocker,
  network: networkToDocker,
  secret: secretToDocker,
  config: configToDocker,
  service: (service, { apiMinor }) => serviceToDocker(service, apiMinor),
  task: (task, { apiMinor }) => taskToDocker(task, apiMinor),
};

export const isWatchedKind = (kind: string): kind is WatchedKind => (WATCHED_KINDS as readonly string[]).includes(kind);

export function objectToJson<K extends WatchedKind>(
  kind: K,
  object: StoreObjects[K],
  options: ObjectJsonOptions,
): object {
  return (WRITERS[kind] as (object: StoreObjects[K], options: ObjectJsonOptions) => object)(object, options);
}

/** One change as watchers see it; a removal carries the object as it last was. Undefined for kinds not watched. */
export function changeToJson(change: Change, options: ObjectJsonOptions): object | undefined {
  if (!isWatchedKind(change.kind)) return undefined;
  const object = change.action === 'delete' ? change.old : change.object;
  return {
    action: change.action,
    kind: change.kind,
    id: change.object.id,
    object: objectToJson(change.kind, object as StoreObjects[WatchedKind] as never, options),
  };
}

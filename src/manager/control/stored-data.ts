/** What secrets and configs have in common: named data that services refer to. */
import type { Config, Secret } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Annotations, Version } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';
import { candidates, matchesCommon, type CommonFilters } from './filters.ts';
import { notFound } from './not-found.ts';
import { invalid } from './validation/refusal.ts';
import { refuseDataChange } from './validation/data-spec.ts';
import { refuseStaleVersion } from './versions.ts';

interface StoredData {
  secret: Secret;
  config: Config;
}
type Kind = keyof StoredData;

export function getData<K extends Kind>(store: Store, kind: K, id: string): StoredData[K] {
  const object = store.read[kind].get(id) as StoredData[K] | undefined;
  if (!object) throw notFound(kind, id);
  return object;
}

export function listData<K extends Kind>(
  store: Store,
  kind: K,
  filters: CommonFilters | undefined,
): readonly StoredData[K][] {
  return (candidates<Secret | Config>(filters, store.read[kind]) as readonly StoredData[K][]).filter((object) =>
    matchesCommon(filters, {
      id: object.id,
      names: [object.spec?.annotations?.name ?? ''],
      labels: object.spec?.annotations?.labels,
    }),
  );
}

/** Stores a new object whose spec has been validated; does nothing when one with this id is there from an earlier try. */
export async function createData<K extends Kind>(store: Store, kind: K, object: StoredData[K]): Promise<StoredData[K]> {
  await store.update((tx) => {
    if (!tx[kind].get(object.id)) (tx[kind].create as (object: StoredData[K]) => void)(object);
  });
  return (store.read[kind].get(object.id) as StoredData[K] | undefined) ?? object;
}

/** Changes labels. Throws notFound, invalidArgument (something else would change) or outOfSequence. */
export async function relabelData<K extends Kind>(
  store: Store,
  kind: K,
  id: string,
  version: Version | undefined,
  wanted: StoredData[K]['spec'],
): Promise<StoredData[K]> {
  if (id === '' || !version || !wanted)
    throw invalid(`invalid argument: ${kind} id, version and spec must be provided`);
  const updated = await store.update((tx) => {
    const present = tx[kind].get(id) as StoredData[K] | undefined;
    if (!present?.spec) throw notFound(kind, id);
    refuseDataChange(present.spec, wanted);
    const annotations = { ...(present.spec.annotations as Annotations), labels: wanted.annotations?.labels ?? {} };
    const next = { ...present, spec: { ...present.spec, annotations } };
    refuseStaleVersion(kind, present, version);
    (tx[kind].update as (object: StoredData[K]) => void)(next);
    return next;
  });
  return (store.read[kind].get(id) as StoredData[K] | undefined) ?? updated;
}

/** Throws notFound, or invalidArgument while a service refers to it. */
export async function removeData(store: Store, kind: Kind, id: string): Promise<void> {
  await store.update((tx) => {
    const object: Secret | Config | undefined = tx[kind].get(id);
    if (!object) throw notFound(kind, id);
    const users = tx.service.by(kind, id).map((service) => service.spec?.annotations?.name ?? service.id);
    if (users.length > 0) {
      const services = users.length === 1 ? 'service' : 'services';
      const name = object.spec?.annotations?.name ?? id;
      throw invalid(`${kind} '${name}' is in use by the following ${services}: ${users.toSorted().join(', ')}`);
    }
    tx[kind].delete(id);
  });
}

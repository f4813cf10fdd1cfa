/** Finding the object a path names: by whole id, then by exact name, then by a beginning of the id. */
import type { Network, Node, Secret, Config, Service, Task } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ObjectKind, StoreObjects } from '../manager/store/objects.ts';
import type { TableReader } from '../manager/store/table.ts';
import { taskName } from './docker/task.ts';
import { badRequest, notFound } from './http-error.ts';
import type { StoreReads } from './ports.ts';

type Reader = StoreReads['read'];

function find<K extends ObjectKind>(
  kind: K,
  table: TableReader<K>,
  key: string,
  named: (table: TableReader<K>) => readonly StoreObjects[K][],
): StoreObjects[K] {
  const exact = table.get(key);
  if (exact) return exact;
  const byName = named(table);
  const matches = byName.length > 0 ? byName : key === '' ? [] : table.byIdPrefix(key);
  const [match] = matches;
  if (!match) throw notFound(kind, key);
  if (matches.length > 1) throw badRequest(`${kind} ${key} is ambiguous (${matches.length} matches found)`);
  return match;
}

/** Names are unique whatever their case. */
function named<K extends ObjectKind>(name: string) {
  return (table: TableReader<K>): readonly StoreObjects[K][] => {
    const found = table.byName(name);
    return found ? [found] : [];
  };
}

/** Those of services and networks must be asked for as written. */
function withUniqueName<K extends ObjectKind>(name: string, nameOf: (object: StoreObjects[K]) => string | undefined) {
  return (table: TableReader<K>): readonly StoreObjects[K][] => {
    const found = table.byName(name);
    return found && nameOf(found) === name ? [found] : [];
  };
}

/** All throw 404, or 400 when several objects match. */
export const findService = (read: Reader, key: string): Service =>
  find(
    'service',
    read.service,
    key,
    withUniqueName(key, (s) => s.spec?.annotations?.name),
  );

export const findSecret = (read: Reader, key: string): Secret => find('secret', read.secret, key, named(key));

export const findConfig = (read: Reader, key: string): Config => find('config', read.config, key, named(key));

export const findNetwork = (read: Reader, key: string): Network =>
  find(
    'network',
    read.network,
    key,
    withUniqueName(key, (n) => n.spec?.annotations?.name),
  );

/** Nodes are looked up by hostname, which several may share. */
export const findNode = (read: Reader, key: string): Node =>
  find('node', read.node, key, (nodes) =>
    nodes.by('hostname', key.toLowerCase()).filter((node) => node.description?.hostname === key),
  );

export const findTask = (read: Reader, key: string): Task =>
  find('task', read.task, key, (tasks) => (key.includes('.') ? tasks.all().filter((t) => taskName(t) === key) : []));

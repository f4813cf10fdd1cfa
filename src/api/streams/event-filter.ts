/** Which events a client asked for. */
import type { Filters } from '../filters.ts';
import type { ClusterEvent } from './event.ts';

/** Those of the container half match no event of a swarm object. */
const OBJECT_KEYS = [
  'config',
  'container',
  'daemon',
  'image',
  'network',
  'node',
  'plugin',
  'secret',
  'service',
  'volume',
];

export function matchesEvent(filters: Filters, event: ClusterEvent): boolean {
  return (
    filters.allows('scope', 'swarm') &&
    filters.allows('type', event.type) &&
    filters.allows('event', event.action) &&
    filters.allowsLabels('label', event.labels) &&
    OBJECT_KEYS.every((key) => !filters.has(key) || (key === event.type && isNamed(filters.get(key), event)))
  );
}

/** An object is meant by its id, a beginning of it, or its name. */
const isNamed = (wanted: readonly string[], event: ClusterEvent): boolean =>
  wanted.some((text) => text !== '' && (event.id.startsWith(text) || event.attributes['name'] === text));

/** Which networks of the swarm a list or a prune means. */
import { compareTimestamps, parseDurationMs, timestampOfMs } from '../../common/time.ts';
import type { Network } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import type { Filters } from '../filters.ts';
import { unclassified } from '../http-error.ts';
import type { StoreReads } from '../ports.ts';
import { parseTimeBound } from '../streams/time-bound.ts';

/** The swarm's view of the engines' own networks, which users know as local ones. */
export const isPredefined = (network: Network): boolean =>
  network.spec?.annotations?.labels['com.docker.swarm.predefined'] === 'true';

/** Whether a network of the swarm is listed. */
export function isListed(read: StoreReads['read'], network: Network, filters: Filters): boolean {
  const driver = (network.driverState ?? network.spec?.driverConfig)?.name ?? '';
  const isUsed = isNetworkUsed(read, network);
  return (
    !isPredefined(network) &&
    filters.allows('driver', driver) &&
    filters.allows('scope', 'swarm') &&
    filters.allows('type', 'custom') &&
    filters.allowsLabels('label', network.spec?.annotations?.labels) &&
    (!filters.has('id') || filters.get('id').some((text) => containsAnchored(network.id, text))) &&
    (!filters.has('name') ||
      filters.get('name').some((text) => containsAnchored(network.spec?.annotations?.name ?? '', text))) &&
    (!filters.has('dangling') || filters.get('dangling').some((text) => isUsed === ['0', 'false'].includes(text)))
  );
}

/** Docker matches names of networks anywhere; "^" and "$" hold to the ends. */
function containsAnchored(candidate: string, text: string): boolean {
  const fromStart = text.startsWith('^');
  const toEnd = text.endsWith('$');
  const part = text.slice(fromStart ? 1 : 0, toEnd ? -1 : undefined);
  if (fromStart && toEnd) return candidate === part;
  if (fromStart) return candidate.startsWith(part);
  return toEnd ? candidate.endsWith(part) : candidate.includes(part);
}

const isNetworkUsed = (read: StoreReads['read'], { id }: Network): boolean =>
  read.service.by('network', id).length > 0 || read.task.by('network', id).length > 0;

/** The moment `prune` asks about: a time, or how long ago it was. Throws 500, as Docker does. */
export function parseUntil(filters: Filters, nowMs: number): Timestamp | undefined {
  const [text, ...others] = filters.get('until');
  if (text === undefined) return undefined;
  if (others.length > 0) throw unclassified('more than one until filter specified');
  const agoMs = durationMsOf(text);
  if (agoMs !== undefined) return timestampOfMs(nowMs - agoMs);
  try {
    return parseTimeBound(text);
  } catch {
    throw unclassified(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
}

/** Undefined for what is no duration. */
function durationMsOf(text: string): number | undefined {
  try {
    return parseDurationMs(text);
  } catch {
    return undefined;
  }
}

/** Whether `prune` takes a network of the swarm. */
export function isPruned(
  read: StoreReads['read'],
  network: Network,
  filters: Filters,
  until: Timestamp | undefined,
): boolean {
  const labels = network.spec?.annotations?.labels;
  const created = network.meta?.createdAt;
  const isOldEnough = until === undefined || (created !== undefined && compareTimestamps(created, until) < 0);
  return (
    !network.spec?.ingress &&
    !isNetworkUsed(read, network) &&
    filters.allowsLabels('label', labels) &&
    !(filters.has('label!') && filters.allowsLabels('label!', labels)) &&
    isOldEnough
  );
}

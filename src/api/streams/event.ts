/** Docker's events of swarm objects, made from changes of the store. */
import { isDeepStrictEqual } from 'node:util';
import type { Network, Node, Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Change } from '../../manager/store/change.ts';
import { timestampOfMs } from '../../common/time.ts';
import { exactInteger } from '../json/stringify.ts';
import { availabilities, nodeStates, reachabilities, roles } from '../docker/node.ts';
import { updateStateWord } from '../docker/update-config.ts';
import { timeToNanos } from '../docker/values.ts';

export interface ClusterEvent {
  readonly type: 'service' | 'node' | 'secret' | 'config' | 'network';
  readonly action: 'create' | 'update' | 'remove';
  readonly id: string;
  /** `name`, and what an update changed as `x.old` and `x.new`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Labels of the object, for filters. */
  readonly labels: Readonly<Record<string, string>>;
  /** Nanoseconds since 1970. */
  readonly timeNanos: bigint;
}

type Attributes = Record<string, string>;
type Announced = Extract<Change, { kind: ClusterEvent['type'] }>;

const ACTIONS = { create: 'create', update: 'update', delete: 'remove' } as const;

/** The event a change is told as; undefined for kinds without events and for changes only the machinery sees. */
export function eventOf(change: Change, nowMs: number): ClusterEvent | undefined {
  if (!isAnnounced(change)) return undefined;
  const attributes: Attributes = { name: nameOf(change) };
  if (change.action === 'update' && !describeUpdate(change, attributes)) return undefined;
  return {
    type: change.kind,
    action: ACTIONS[change.action],
    id: change.object.id,
    attributes,
    labels: (change.action === 'delete' ? change.old : change.object).spec?.annotations?.labels ?? {},
    timeNanos: timeToNanos(timeOf(change) ?? timestampOfMs(nowMs)),
  };
}

/** As `GET /events` sends it. */
export const eventToDocker = (event: ClusterEvent): object => ({
  Type: event.type,
  Action: event.action,
  Actor: { ID: event.id, Attributes: event.attributes },
  scope: 'swarm',
  time: Number(event.timeNanos / 1_000_000_000n),
  timeNano: exactInteger(event.timeNanos),
});

const isAnnounced = (change: Change): change is Announced =>
  change.kind === 'service' ||
  change.kind === 'node' ||
  change.kind === 'secret' ||
  change.kind === 'config' ||
  change.kind === 'network';

const timeOf = ({ action, object }: Announced) =>
  action === 'create' ? object.meta?.createdAt : action === 'update' ? object.meta?.updatedAt : undefined;

function nameOf(change: Announced): string {
  const object = change.action === 'delete' ? change.old : change.object;
  const name = object.spec?.annotations?.name ?? '';
  return name === '' && 'description' in object ? (object.description?.hostname ?? '') : name;
}

/** Adds what changed; false when the update is not worth telling. */
function describeUpdate(change: Announced & { readonly action: 'update' }, attributes: Attributes): boolean {
  switch (change.kind) {
    case 'service':
      return describeService(change.object, change.old, attributes);
    case 'node':
      return describeNode(change.object, change.old, attributes);
    case 'network':
      return describeNetwork(change.object, change.old);
    case 'secret':
    case 'config':
      return true;
  }
}

function describeService(service: Service, old: Service, attributes: Attributes): boolean {
  if (service.pendingDelete) return false;
  const image = (s: Service) =>
    s.spec?.task?.runtime?.$case === 'container' ? s.spec.task.runtime.value.image : undefined;
  noteChange(attributes, 'image', image(old), image(service));
  const replicas = (s: Service) =>
    s.spec?.mode?.$case === 'replicated' ? String(s.spec.mode.value.replicas) : undefined;
  noteChange(attributes, 'replicas', replicas(old), replicas(service));
  const state = service.updateStatus && updateStateWord(service.updateStatus.state);
  const oldState = old.updateStatus && updateStateWord(old.updateStatus.state);
  if (state !== undefined && state !== oldState) {
    attributes['updatestate.new'] = state;
    if (oldState !== undefined) attributes['updatestate.old'] = oldState;
  }
  const isChanged = !isDeepStrictEqual([service.spec, service.endpoint], [old.spec, old.endpoint]);
  return Object.keys(attributes).length > 1 || isChanged;
}

function describeNode(node: Node, old: Node, attributes: Attributes): boolean {
  const availability = (n: Node) => n.spec && availabilities.word(n.spec.availability);
  noteChange(attributes, 'availability', availability(old), availability(node));
  noteChange(attributes, 'role', roles.word(old.role), roles.word(node.role));
  const state = (n: Node) => n.status && nodeStates.word(n.status.state);
  noteChange(attributes, 'state', state(old), state(node));
  const leader = (n: Node) => n.managerStatus && String(n.managerStatus.leader);
  noteChange(attributes, 'leader', leader(old), leader(node));
  const reachability = (n: Node) => n.managerStatus && reachabilities.word(n.managerStatus.reachability);
  noteChange(attributes, 'reachability', reachability(old), reachability(node));
  return Object.keys(attributes).length > 1 || !isDeepStrictEqual(node.spec, old.spec);
}

/** The allocation of a network is told, its coming removal is not. */
const describeNetwork = (network: Network, old: Network): boolean =>
  !network.pendingDelete && !isDeepStrictEqual({ ...network, meta: undefined }, { ...old, meta: undefined });

function noteChange(attributes: Attributes, key: string, old: string | undefined, now: string | undefined): void {
  if (old === undefined || now === undefined || old === now) return;
  attributes[`${key}.old`] = old;
  attributes[`${key}.new`] = now;
}

/** Whether a task would fit on some node: the filters told once more, apart from the scheduler's own. */
import { formatIpv4, parseSubnet } from '../../../src/manager/allocator/address-space.ts';
import { addressKey } from '../../../src/manager/store/objects.ts';
import { isWanted, stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import { enforcedConstraints, nodeSatisfies } from '../../../src/manager/placement/constraint.ts';
import { genericPoolOf } from '../../../src/manager/placement/generic-resource.ts';
import type { Network, Node, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeStatus_State,
  PortConfig_PublishMode,
  TaskState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { World } from './world.ts';

/** From its placement until it is known to have ended. */
export const holdsItsPlace = (task: Task): boolean =>
  stateOf(task) >= TaskState.ASSIGNED && stateOf(task) <= TaskState.RUNNING;

/** Ports of its node that a task holds, as "number/protocol". */
export const hostPortsOf = ({ endpoint }: Task): readonly string[] =>
  (endpoint?.ports ?? [])
    .filter(({ publishMode, publishedPort }) => publishMode === PortConfig_PublishMode.HOST && publishedPort !== 0)
    .map(({ protocol, publishedPort }) => `${publishedPort}/${protocol}`);

/** The node takes tasks now. */
export const isOpen = ({ status, spec }: Node): boolean =>
  status?.state === NodeStatus_State.READY && spec?.availability === NodeSpec_Availability.ACTIVE;

/** Waits for a node though none has room for it. */
export const waitsInVain = (task: Task, world: World): boolean =>
  stateOf(task) === TaskState.PENDING && !world.tables.node.all().some((node) => hasRoom(node, task, world));

/**
 * Waits for an address, says so, and there is indeed none: a network of it has gone or is full. Were addresses not given
 * back with their owners, it would not be.
 */
export function isRefusedAddresses(task: Task, world: World): boolean {
  if (stateOf(task) !== TaskState.NEW || !task.status?.err) return false;
  return (task.spec?.networks ?? []).some(({ target }) => {
    const network = world.tables.network.get(target);
    return network === undefined || isFull(network, world);
  });
}

function isFull({ id, ipam }: Network, world: World): boolean {
  const subnet = parseSubnet(ipam?.configs[0]?.subnet ?? '');
  if (!subnet) return false;
  const { task, service, node } = world.tables;
  // The first and the last address are nobody's, and the gateway has one.
  const room = 2 ** (32 - subnet.prefixLength) - 3;
  const first = subnet.base + 1;
  let held = 0;
  for (let address = first; address <= first + room; address++) {
    const key = addressKey(id, formatIpv4(address));
    if ([task, service, node].some((table) => table.by('address', key).length > 0)) held++;
  }
  return held >= room;
}

function hasRoom(node: Node, task: Task, world: World): boolean {
  if (task.nodeId !== '' && task.nodeId !== node.id) return false;
  if (!isOpen(node) || !nodeSatisfies(enforcedConstraints(task.spec?.placement?.constraints), node)) return false;
  const live = world.tables.task.by('node', node.id).filter(holdsItsPlace);
  const most = task.spec?.placement?.maxReplicas ?? 0;
  if (most > 0 && live.filter((each) => each.serviceId === task.serviceId && isWanted(each)).length >= most)
    return false;
  const taken = new Set(live.flatMap(hostPortsOf));
  if (hostPortsOf(task).some((port) => taken.has(port))) return false;
  return (
    (['nanoCpus', 'memoryBytes'] as const).every((resource) => {
      const reserved = [task, ...live].map(({ spec }) => spec?.resources?.reservations?.[resource] ?? 0);
      return reserved.reduce((sum, part) => sum + part) <= (node.description?.resources?.[resource] ?? 0);
    }) && hasGenericRoom(node, task, live)
  );
}

function hasGenericRoom(node: Node, task: Task, live: readonly Task[]): boolean {
  const amounts = (tasks: readonly Task[], kind: string): number =>
    tasks
      .flatMap((each) => [...genericPoolOf(each.assignedGenericResources)])
      .filter(([other]) => other === kind)
      .reduce((sum, [, amount]) => sum + (typeof amount === 'number' ? amount : amount.length), 0);
  const has = genericPoolOf(node.description?.resources?.generic ?? []);
  return [...genericPoolOf(task.spec?.resources?.reservations?.generic ?? [])].every(([kind, wanted]) => {
    const total = has.get(kind) ?? 0;
    return amounts(live, kind) + Number(wanted) <= (typeof total === 'number' ? total : total.length);
  });
}

/** What a change of a service does, slot by slot: the difference between the tasks before and after. */
import { msOfTimestamp } from '../../common/time.ts';
import type { Node, Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, UpdateStatus_UpdateState as UpdateState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { NodeExplanation, ServiceExplanation } from '../scheduler/explain.ts';
import type { Reader } from '../store/transaction.ts';

export interface ServicePlan {
  readonly serviceId: string;
  readonly strategy: string;
  /** False when chance decides where tasks go, so that the nodes are only an example. */
  readonly isCertain: boolean;
  /** False when there was too much to play it to the end. */
  readonly isComplete: boolean;
  readonly tasks: readonly PlannedTask[];
  /** How every node does for a task of the changed service before anything moves, best first. */
  readonly nodes: readonly NodeExplanation[];
  /** How its rolling update ends; empty when there is none. */
  readonly update: '' | 'completed' | 'stuck' | 'paused' | 'rolled back';
}

export interface PlannedTask {
  /** `wait`: a task is wanted and finds no node. */
  readonly action: 'keep' | 'start' | 'replace' | 'stop' | 'wait';
  /** Number of the slot; 0 in global modes, where the node names it. */
  readonly slot: number;
  /** Where the task is then; empty when it stops or waits. */
  readonly nodeId: string;
  readonly hostname: string;
  /** Where the task it takes the place of is now; empty when there is none. */
  readonly previousNodeId: string;
  readonly previousHostname: string;
  /** The task there goes on, since the new one is to start before it stops. */
  readonly isPreviousKept: boolean;
  /** Why it waits. */
  readonly reason: string;
}

export interface PlanOfInput {
  /** Tasks of the service before anything moved. */
  readonly before: readonly Task[];
  /** The state afterwards. */
  readonly reader: Reader;
  readonly serviceId: string;
  readonly explanation: ServiceExplanation;
  readonly isComplete: boolean;
}

export function planOf({ before, reader, serviceId, explanation, isComplete }: PlanOfInput): ServicePlan {
  const service = reader.service.get(serviceId);
  const isGlobal = service?.spec?.mode?.$case === 'global' || service?.spec?.mode?.$case === 'globalJob';
  const after = reader.task.by('service', serviceId).filter(isThere);
  const alive = new Set(after.map((task) => task.id));
  const old = bySlot(before.filter(isThere), isGlobal);
  const now = bySlot(after, isGlobal);
  const places = [...new Set([...old.keys(), ...now.keys()])];
  const hostname = (id: string): string => hostnameOf(reader.node.get(id));
  const tasks = places.map((place): PlannedTask => {
    const [was, is] = [old.get(place), now.get(place)];
    const previousNodeId = was?.nodeId ?? '';
    const nodeId = is?.nodeId ?? '';
    return {
      action: actionOf(was, is),
      slot: isGlobal ? 0 : ((is ?? was)?.slot ?? 0),
      nodeId,
      hostname: hostname(nodeId),
      previousNodeId,
      previousHostname: hostname(previousNodeId),
      isPreviousKept: was !== undefined && was.id !== is?.id && alive.has(was.id),
      reason: is && waits(is) ? is.status?.err || is.status?.message || '' : '',
    };
  });
  return {
    serviceId,
    strategy: explanation.strategy,
    isCertain: explanation.strategy !== 'random',
    isComplete,
    tasks: tasks.sort(
      (a, b) =>
        a.slot - b.slot ||
        (a.hostname || a.previousHostname).localeCompare(b.hostname || b.previousHostname, 'en', { numeric: true }),
    ),
    nodes: explanation.next,
    update: updateOf(service),
  };
}

/** Somebody wants it, and it has not ended. */
const isThere = (task: Task): boolean =>
  task.desiredState <= TaskState.COMPLETE && (task.status?.state ?? 0) <= TaskState.RUNNING;

const waits = (task: Task): boolean => (task.status?.state ?? 0) < TaskState.ASSIGNED;

/** The newest task of each slot: an older one is on its way out. */
function bySlot(tasks: readonly Task[], isGlobal: boolean): ReadonlyMap<string, Task> {
  const found = new Map<string, Task>();
  for (const task of tasks) {
    const key = isGlobal ? task.nodeId : String(task.slot);
    const other = found.get(key);
    if (!other || createdMs(other) < createdMs(task)) found.set(key, task);
  }
  return found;
}

const createdMs = ({ meta }: Task): number => (meta?.createdAt ? msOfTimestamp(meta.createdAt) : 0);

function actionOf(was: Task | undefined, is: Task | undefined): PlannedTask['action'] {
  if (!is) return 'stop';
  if (was?.id === is.id && (!waits(is) || waits(was))) return waits(is) ? 'wait' : 'keep';
  if (waits(is)) return 'wait';
  return was ? 'replace' : 'start';
}

const hostnameOf = (node: Node | undefined): string => node?.description?.hostname ?? '';

function updateOf(service: Service | undefined): ServicePlan['update'] {
  switch (service?.updateStatus?.state) {
    case UpdateState.UPDATING:
    case UpdateState.ROLLBACK_STARTED:
      return 'stuck';
    case UpdateState.PAUSED:
    case UpdateState.ROLLBACK_PAUSED:
      return 'paused';
    case UpdateState.COMPLETED:
      return 'completed';
    case UpdateState.ROLLBACK_COMPLETED:
      return 'rolled back';
    default:
      return '';
  }
}

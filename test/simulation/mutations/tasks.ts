/** Planted bugs of those who make, place, address and restart tasks. */
import { edit } from '../../../src/raft/test/planting/edit.ts';
import { swarmMutation, type SwarmMutation } from './swarm-mutation.ts';

const ORCHESTRATOR = 'src/manager/orchestrator';
const FILTERS = 'src/manager/scheduler/filters';

export const TASK_MUTATIONS: readonly SwarmMutation[] = [
  swarmMutation(
    'orchestrator: restarts what its policy gave up',
    edit(`${ORCHESTRATOR}/slots.ts`, 'return !isTakenBack && !mayRestart(newest, slot.tasks);', 'return false;'),
  ),
  swarmMutation(
    'orchestrator: one restart more than allowed',
    edit(
      `${ORCHESTRATOR}/restart-policy.ts`,
      'countRestarts(task, slotTasks, windowMs) < maxAttempts;',
      'countRestarts(task, slotTasks, windowMs) <= maxAttempts;',
    ),
  ),
  swarmMutation(
    'orchestrator: restarts without the delay',
    edit(
      `${ORCHESTRATOR}/restart-policy.ts`,
      'if (maxDelayMs === undefined) return delayMs;',
      'if (maxDelayMs === undefined) return 0;',
    ),
  ),
  swarmMutation(
    'orchestrator: moves tasks of nodes it has only not heard from',
    edit(
      `${ORCHESTRATOR}/node-fitness.ts`,
      'node?.status?.state === NodeStatus_State.DOWN || !node;',
      'node?.status?.state !== NodeStatus_State.READY || !node;',
    ),
  ),
  swarmMutation(
    'orchestrator: an update with one slot more in work than its parallelism',
    edit(
      `${ORCHESTRATOR}/update-run.ts`,
      'if (this.#inWork.size + this.#resting.length >= this.#settings.parallelism) break;',
      'if (this.#inWork.size + this.#resting.length > this.#settings.parallelism) break;',
    ),
  ),
  swarmMutation(
    'orchestrator: a node that comes back is brought up to date by an update that is paused',
    edit(
      `${ORCHESTRATOR}/service-plan.ts`,
      "if (mode.kind !== 'global' || isStopped || !slotIsDirty(",
      "if (mode.kind !== 'global' || !slotIsDirty(",
    ),
  ),
  swarmMutation(
    'orchestrator: a job with one task more than at a time',
    edit(
      `${ORCHESTRATOR}/job-plan.ts`,
      'active + free.length < maxConcurrent; number++',
      'active + free.length <= maxConcurrent; number++',
    ),
  ),
  swarmMutation(
    'reaper: forgets no history',
    edit(`${ORCHESTRATOR}/task-history.ts`, 'if (limit < 0 || surplus <= 0) return [];', 'return [];'),
  ),
  swarmMutation(
    'reaper: deletes tasks that have not ended',
    edit(
      `${ORCHESTRATOR}/task-history.ts`,
      'return state < TaskState.ASSIGNED || state >= TaskState.COMPLETE;\n',
      'return true;\n',
    ),
  ),
  swarmMutation(
    'scheduler: places on nodes that take no tasks',
    edit(
      `${FILTERS}/ready.ts`,
      'if (availability === NodeSpec_Availability.ACTIVE) return undefined;',
      'return undefined;',
    ),
  ),
  swarmMutation(
    'scheduler: constraints ignored',
    edit(`${FILTERS}/constraints.ts`, 'node !== undefined && nodeSatisfies(constraints, node),', 'node !== undefined,'),
  ),
  swarmMutation(
    'scheduler: host ports promised twice',
    edit(`${FILTERS}/host-ports.ts`, '!ports.some((port) => node.holdsPort(port)),', 'node !== undefined,'),
  ),
  swarmMutation(
    'scheduler: one replica more on a node than allowed',
    edit(
      `${FILTERS}/max-replicas.ts`,
      'node.activeTasksOf(serviceId) < limit,',
      'node.activeTasksOf(serviceId) <= limit,',
    ),
  ),
  swarmMutation(
    'scheduler: countable things promised twice',
    edit(`${FILTERS}/resources.ts`, '(generic.size === 0 || hasEnoughGeneric(node.generic, generic)),', 'true,'),
  ),
  swarmMutation(
    'allocator: addresses given that others hold',
    edit(
      'src/manager/allocator/address-book.ts',
      'for (const { networkId, address } of now) this.#spaces.get(networkId)?.take(address);',
      '',
    ),
    edit('src/manager/allocator/address-book.ts', 'reader !== undefined &&', 'false && reader !== undefined &&'),
  ),
  swarmMutation(
    'allocator: addresses of tasks that are gone are never free again',
    edit(
      'src/manager/allocator/address-book.ts',
      'for (const { networkId, address } of freed) this.#spaces.get(networkId)?.release(address);',
      '',
    ),
  ),
  swarmMutation(
    'allocator: a port of the mesh given twice',
    edit('src/manager/allocator/port-space.ts', ' || taken.has(port)) return false;', ') return false;'),
    edit('src/manager/allocator/port-space.ts', 'this.#cursors.set(protocol, port === last ? first : port + 1);', ''),
  ),
];

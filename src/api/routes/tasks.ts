/** /tasks */
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { ListTasksRequest_Filters } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import { pathPart, queryOf, readSwarm, sendJson, type ApiContext } from '../context.ts';
import { taskName, taskStates, taskToDocker } from '../docker/task.ts';
import { parseFilters, type Filters } from '../filters.ts';
import { viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';
import { ObjectBytes } from '../json/object-bytes.ts';
import { sendList } from '../list-reply.ts';
import { findNode, findService, findTask } from '../lookup.ts';
import type { StoreReads, Swarm } from '../ports.ts';

const FILTERS = ['_up-to-date', 'desired-state', 'id', 'label', 'name', 'node', 'runtime', 'service'];

interface Selection {
  readonly filters: Filters;
  readonly serviceIds: readonly string[] | undefined;
  readonly nodeIds: readonly string[] | undefined;
  readonly desiredStates: readonly TaskState[] | undefined;
}

export function registerTasks(app: Router, context: ApiContext): void {
  const bytes = new ObjectBytes(taskToDocker);

  app.get('/tasks', async (request, reply) => {
    const filters = parseFilters(queryOf(request), FILTERS);
    const desiredStates = filters.enumValues('desired-state', taskStates);
    const swarm = await readSwarm(context, request);
    const { read } = swarm.store;
    const selection: Selection = {
      filters,
      desiredStates,
      serviceIds: filters.has('service') ? filters.get('service').map((key) => findService(read, key).id) : undefined,
      nodeIds: filters.has('node') ? filters.get('node').map((key) => findNode(read, key).id) : undefined,
    };
    const candidates = filters.has('_up-to-date')
      ? await upToDateTasks(swarm, selection, request.signal)
      : candidateTasks(read, selection);
    const tasks = candidates.filter((task) => isListed(task, selection));
    return sendList(reply, tasks, (task) => bytes.of(task, request.apiMinor));
  });

  app.get('/tasks/:id', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    const task = findTask(swarm.store.read, pathPart(request, 'id'));
    return sendJson(reply, 200, taskToDocker(task, request.apiMinor));
  });
}

/** The smallest set an index gives. */
function candidateTasks(read: StoreReads['read'], { serviceIds, nodeIds }: Selection): readonly Task[] {
  if (serviceIds) return [...new Set(serviceIds)].flatMap((id) => read.task.by('service', id));
  if (nodeIds) return [...new Set(nodeIds)].flatMap((id) => read.task.by('node', id));
  return read.task.all();
}

/** Tasks that still are what their service asks for; only the manager's own rules can tell. */
async function upToDateTasks(swarm: Swarm, { serviceIds }: Selection, signal: AbortSignal): Promise<readonly Task[]> {
  const filters = ListTasksRequest_Filters.fromPartial({ upToDate: true, serviceIds: serviceIds ?? [] });
  return (await viaRpc(swarm.control.listTasks({ filters }, { signal }))).tasks;
}

function isListed(task: Task, { filters, serviceIds, nodeIds, desiredStates }: Selection): boolean {
  const runtime = task.spec?.runtime?.$case ?? 'container';
  return (
    filters.allowsPrefix('id', task.id) &&
    (!filters.has('name') || filters.allowsPrefix('name', taskName(task))) &&
    // A task has no labels of its own: those of its service, as they were when it was made, stand for it.
    filters.allowsLabels('label', task.serviceAnnotations?.labels) &&
    (serviceIds?.includes(task.serviceId) ?? true) &&
    (nodeIds?.includes(task.nodeId) ?? true) &&
    (desiredStates?.includes(task.desiredState) ?? true) &&
    (filters.has('runtime') ? filters.allows('runtime', runtime) : runtime === 'container')
  );
}

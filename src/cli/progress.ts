/**
 * Waiting for a service to settle, as `docker service create` does: all slots of the newest version running, and still
 * running after the monitor period; for a job until it has completed, or will not.
 */
import { SwarmError } from '../common/errors.ts';
import type { ApiClient } from './client.ts';
import { ProgressLine } from './progress-line.ts';
import type { Terminal } from './terminal.ts';
import type { NodeObject, ServiceObject, TaskObject } from './types.ts';

export interface WaitOptions {
  /** Gives up with deadlineExceeded after this long, in ms; undefined waits for ever. */
  readonly timeoutMs: number | undefined;
  /** How long everything must have held before it counts, in ms. */
  readonly steadyMs: number;
}

const POLL_MS = 200;
/** A job none of whose tasks is wanted any more for this long is not going on: between two tasks it takes far less. */
const STUCK_MS = 5_000;

interface Progress {
  /** Tasks that run or, in a job, have completed. */
  readonly there: number;
  readonly wanted: number;
  /** What the tasks that are there have become. */
  readonly what: 'running' | 'completed';
  /** Set in a job that has no task to wait for, though not all completed. */
  readonly isStuck?: boolean;
  /** Why some task waits or failed last; empty when there is nothing to tell. */
  readonly trouble: string;
}

export async function waitForService(
  client: ApiClient,
  terminal: Terminal,
  id: string,
  options: WaitOptions,
): Promise<void> {
  const startedMs = Date.now();
  const line = new ProgressLine(terminal);
  let steadySince: number | undefined;
  let stuckSince: number | undefined;
  try {
    for (;;) {
      const service = await client.get<ServiceObject>(`/services/${id}`, { insertDefaults: true });
      refuseFailedUpdate(service);
      const isJob = service.JobStatus !== undefined;
      const progress = await progressOf(client, service);
      const isThere = progress.wanted === progress.there;
      const isUpdating =
        service.UpdateStatus?.State === 'updating' || service.UpdateStatus?.State === 'rollback_started';
      steadySince = isThere && !isUpdating ? (steadySince ?? Date.now()) : undefined;
      line.show(textOf(progress, steadySince !== undefined));
      if (isJob && isThere) {
        line.end(`job ${service.Spec.Name} is complete: ${progress.there} of ${progress.wanted}`);
        return;
      }
      stuckSince = progress.isStuck ? (stuckSince ?? Date.now()) : undefined;
      if (stuckSince !== undefined && Date.now() - stuckSince >= STUCK_MS) throw failedJob(service, progress);
      if (steadySince !== undefined && Date.now() - steadySince >= options.steadyMs) {
        line.end(`service ${service.Spec.Name} is running: ${progress.there} of ${progress.wanted}`);
        return;
      }
      if (options.timeoutMs !== undefined && Date.now() - startedMs > options.timeoutMs) {
        throw new SwarmError(
          'deadlineExceeded',
          `service ${service.Spec.Name} did not settle within ${options.timeoutMs / 1000} s: ${textOf(progress, false)}; it goes on in the background, see "swarmctl service ps ${service.Spec.Name}"`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    line.end();
  }
}

function refuseFailedUpdate({ Spec, UpdateStatus }: ServiceObject): void {
  const state = UpdateStatus?.State;
  if (state === 'paused' || state === 'rollback_paused') {
    throw new SwarmError(
      'failedPrecondition',
      `the update of ${Spec.Name} stopped: ${UpdateStatus?.Message ?? state}; see "swarmctl service ps ${Spec.Name}"`,
    );
  }
}

async function progressOf(client: ApiClient, service: ServiceObject): Promise<Progress> {
  if (service.JobStatus) return jobProgress(client, service);
  const filters = JSON.stringify({ service: [service.ID], '_up-to-date': ['true'] });
  const [tasks, nodes] = await Promise.all([
    client.get<readonly TaskObject[]>('/tasks', { filters }),
    client.get<readonly NodeObject[]>('/nodes'),
  ]);
  const alive = new Set(nodes.filter((n) => n.Status.State !== 'down').map((n) => n.ID));
  const current = tasks.filter(
    (t) =>
      (t.NodeID === undefined || alive.has(t.NodeID)) && (t.DesiredState === 'running' || t.DesiredState === 'ready'),
  );
  const slots = new Map(current.map((t) => [t.Slot ?? t.NodeID ?? t.ID, t]));
  for (const task of current) if (task.Status.State === 'running') slots.set(task.Slot ?? task.NodeID ?? task.ID, task);
  const running = [...slots.values()].filter((t) => t.Status.State === 'running').length;
  const wanted = service.Spec.Mode.Replicated ? (service.Spec.Mode.Replicated.Replicas ?? 0) : Math.max(1, slots.size);
  const troubled = [...slots.values(), ...tasks].find((t) => t.Status.Err !== undefined && t.Status.Err !== '');
  return { there: running, wanted, what: 'running', trouble: running === wanted ? '' : (troubled?.Status.Err ?? '') };
}

/** How far the present iteration of a job has come. */
async function jobProgress(client: ApiClient, service: ServiceObject): Promise<Progress> {
  const filters = JSON.stringify({ service: [service.ID] });
  const iteration = service.JobStatus?.JobIteration?.Index ?? 0;
  const tasks = (await client.get<readonly TaskObject[]>('/tasks', { filters })).filter(
    (t) => t.JobIteration !== undefined && (t.JobIteration.Index ?? 0) === iteration,
  );
  const { ReplicatedJob } = service.Spec.Mode;
  // Task 0 of a replicated job has no slot in the API, like all tasks of a global one; the node tells those apart.
  const placeOf = (t: TaskObject): unknown => (ReplicatedJob ? (t.Slot ?? 0) : t.NodeID);
  const places = (of: readonly TaskObject[]): number => new Set(of.map(placeOf)).size;
  const there = places(tasks.filter((t) => t.Status.State === 'complete'));
  const wanted = ReplicatedJob ? (ReplicatedJob.TotalCompletions ?? 0) : Math.max(1, places(tasks));
  const open = tasks.filter(
    (t) => t.Status.State !== 'complete' && (t.DesiredState === 'complete' || t.DesiredState === 'ready'),
  );
  const trouble = there === wanted ? '' : ([...open, ...tasks].find((t) => t.Status.Err)?.Status.Err ?? '');
  return {
    there,
    wanted,
    what: 'completed',
    isStuck: tasks.length > 0 && open.length === 0 && there < wanted,
    trouble,
  };
}

const failedJob = ({ Spec }: ServiceObject, progress: Progress): SwarmError =>
  new SwarmError(
    'failedPrecondition',
    `job ${Spec.Name} ended with ${textOf(progress, false)}; see "swarmctl service ps ${Spec.Name}", and run it again with "swarmctl service update --force ${Spec.Name}"`,
  );

const textOf = ({ there, wanted, what, trouble }: Progress, isSteady: boolean): string =>
  `${there} of ${wanted} ${what}${isSteady && what === 'running' ? ', checking that it stays so' : trouble ? `: ${trouble}` : ''}`;

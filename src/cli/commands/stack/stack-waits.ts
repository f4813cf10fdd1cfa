/** Waiting for the services of a stack: for what depends_on asks, and in the end for all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SwarmError } from '../../../common/errors.ts';
import type { ApiClient } from '../../client.ts';
import type { Start, Wait } from '../../compose/start-order.ts';
import { ProgressLine } from '../../progress-line.ts';
import { waitForService } from '../../progress.ts';
import type { Terminal } from '../../terminal.ts';
import type { ServiceObject, TaskObject } from '../../types.ts';

const POLL_MS = 200;
const STEADY_MS = 1_000;

const WORDS = {
  service_started: 'to start',
  service_healthy: 'to be healthy',
  service_completed_successfully: 'to complete',
} as const;

export class StackWaits {
  readonly #client: ApiClient;
  readonly #terminal: Terminal;
  readonly #deadlineMs: number;
  readonly #ids = new Map<string, string>();
  readonly #starts: Start[] = [];

  constructor(client: ApiClient, terminal: Terminal, timeoutMs: number | undefined) {
    this.#client = client;
    this.#terminal = terminal;
    this.#deadlineMs = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
  }

  /** A service that is deployed by now. */
  add(start: Start, id: string): void {
    this.#starts.push(start);
    this.#ids.set(start.name, id);
  }

  /** Throws deadlineExceeded when the time is over, failedPrecondition when it cannot come true any more. */
  async until({ service, condition }: Wait, waiter: string): Promise<void> {
    const id = this.#ids.get(service) ?? '';
    this.#terminal.err(`${waiter} waits for ${service} ${WORDS[condition]}\n`);
    const object = await this.#client.get<ServiceObject>(`/services/${id}`);
    const isJob = object.JobStatus !== undefined;
    if (condition === 'service_healthy' || (condition === 'service_completed_successfully' && isJob)) {
      // A task with a health check counts as running once it is healthy.
      return waitForService(this.#client, this.#terminal, id, { timeoutMs: this.#leftMs(), steadyMs: 0 });
    }
    const look = condition === 'service_started' ? started : completed;
    await this.#poll(object, (tasks) => look(object, tasks));
  }

  /** Until every service runs, and every job has completed. */
  async untilSettled(): Promise<void> {
    for (const { name, service } of this.#starts) {
      const id = this.#ids.get(name) ?? '';
      const { condition } = service.deploy?.restart_policy ?? {};
      const object = await this.#client.get<ServiceObject>(`/services/${id}`);
      // Tasks that may end for good: that they started is all there is to wait for.
      if (!object.JobStatus && (condition === 'none' || condition === 'on-failure')) {
        await this.#poll(object, (tasks) => started(object, tasks));
        continue;
      }
      const monitor = object.Spec.UpdateConfig?.Monitor;
      const steadyMs = monitor === undefined ? STEADY_MS : monitor / 1e6;
      await waitForService(this.#client, this.#terminal, id, { timeoutMs: this.#leftMs(), steadyMs });
    }
  }

  #leftMs(): number | undefined {
    return this.#deadlineMs === Infinity ? undefined : Math.max(0, this.#deadlineMs - Date.now());
  }

  async #poll(service: ServiceObject, look: (tasks: readonly TaskObject[]) => Outlook): Promise<void> {
    const line = new ProgressLine(this.#terminal);
    const filters = JSON.stringify({ service: [service.ID], '_up-to-date': ['true'] });
    try {
      for (;;) {
        const outlook = look(await this.#client.get<readonly TaskObject[]>('/tasks', { filters }));
        line.show(`service ${service.Spec.Name}: ${outlook.text}`);
        if (outlook.isThere) return;
        if (Date.now() > this.#deadlineMs) {
          throw new SwarmError(
            'deadlineExceeded',
            `service ${service.Spec.Name} did not get there in time: ${outlook.text}; see "swarmctl service ps ${service.Spec.Name}"`,
          );
        }
        await sleep(POLL_MS);
      }
    } finally {
      line.end();
    }
  }
}

interface Outlook {
  readonly isThere: boolean;
  readonly text: string;
}

const AT_WORK: readonly string[] = ['running', 'complete'];
const FAILED: readonly string[] = ['failed', 'rejected', 'orphaned'];

function started(service: ServiceObject, tasks: readonly TaskObject[]): Outlook {
  const wanted = service.Spec.Mode.Replicated?.Replicas ?? 1;
  const there = tasks.filter((task) => AT_WORK.includes(task.Status.State)).length;
  const trouble = tasks.find((task) => task.Status.Err)?.Status.Err;
  return {
    isThere: there > 0 || wanted === 0,
    text: there > 0 ? 'started' : `no task has started yet${trouble ? `: ${trouble}` : ''}`,
  };
}

/** Of a service whose tasks stay ended. Throws failedPrecondition when one has failed for good. */
function completed(service: ServiceObject, tasks: readonly TaskObject[]): Outlook {
  const wanted = service.Spec.Mode.Replicated?.Replicas ?? Math.max(1, new Set(tasks.map((t) => t.NodeID)).size);
  const places = new Set(
    tasks.filter((task) => task.Status.State === 'complete').map((task) => task.Slot ?? task.NodeID),
  );
  const open = tasks.filter((task) => task.DesiredState === 'running' || task.DesiredState === 'ready');
  const failed = tasks.find((task) => FAILED.includes(task.Status.State));
  if (places.size < wanted && failed && open.length === 0) {
    throw new SwarmError(
      'failedPrecondition',
      `service ${service.Spec.Name} did not complete: ${failed.Status.Err ?? failed.Status.State}; see "swarmctl service logs ${service.Spec.Name}", and deploy again`,
    );
  }
  return { isThere: places.size >= wanted, text: `${places.size} of ${wanted} completed` };
}

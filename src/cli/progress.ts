/**
 * Waiting for a service to settle, as `docker service create` does: all slots of the newest version running, and still
 * running after the monitor period.
 */
import { SwarmError } from '../common/errors.ts';
import type { ApiClient } from './client.ts';
import type { Terminal } from './terminal.ts';
import type { NodeObject, ServiceObject, TaskObject } from './types.ts';

export interface WaitOptions {
  /** Gives up with deadlineExceeded after this long, in ms; undefined waits for ever. */
  readonly timeoutMs: number | undefined;
  /** How long everything must have held before it counts, in ms. */
  readonly steadyMs: number;
}

const POLL_MS = 200;

interface Progress {
  readonly running: number;
  readonly wanted: number;
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
  try {
    for (;;) {
      const service = await client.get<ServiceObject>(`/services/${id}`, { insertDefaults: true });
      refuseFailedUpdate(service);
      const progress = await progressOf(client, service);
      const isThere = progress.wanted === progress.running;
      const isUpdating =
        service.UpdateStatus?.State === 'updating' || service.UpdateStatus?.State === 'rollback_started';
      steadySince = isThere && !isUpdating ? (steadySince ?? Date.now()) : undefined;
      line.show(textOf(progress, steadySince !== undefined));
      if (steadySince !== undefined && Date.now() - steadySince >= options.steadyMs) {
        line.end(`service ${service.Spec.Name} is running: ${progress.running} of ${progress.wanted}`);
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
  return { running, wanted, trouble: running === wanted ? '' : (troubled?.Status.Err ?? '') };
}

const textOf = ({ running, wanted, trouble }: Progress, isThere: boolean): string =>
  `${running} of ${wanted} running${isThere ? ', checking that it stays so' : trouble ? `: ${trouble}` : ''}`;

/** One line that is rewritten on a terminal; elsewhere each change is a line of its own. */
class ProgressLine {
  readonly #terminal: Terminal;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    if (text === this.#shown) return;
    this.#terminal.err(this.#terminal.isInteractive ? `\r\u001b[K${text}` : `${text}\n`);
    this.#shown = text;
  }

  end(text?: string): void {
    if (this.#terminal.isInteractive && this.#shown !== '') this.#terminal.err('\r\u001b[K');
    this.#shown = '';
    if (text !== undefined) this.#terminal.err(`${text}\n`);
  }
}

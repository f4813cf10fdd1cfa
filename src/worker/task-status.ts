/** The runtime part of a task's status: container id, process id, exit code and ports. */
import type { TaskStatus } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { TaskController } from './drivers/driver.ts';

type RuntimeFields = Pick<TaskStatus, 'runtimeStatus' | 'portStatus'>;

/** What the runtime says now, over what was known before; a runtime that cannot answer changes nothing. */
export async function runtimeStatusOf(
  controller: TaskController | undefined,
  before: TaskStatus,
  exitCode: number | undefined,
): Promise<RuntimeFields> {
  const known = before.runtimeStatus?.value ?? { containerId: '', pid: 0, exitCode: 0 };
  const now = await controller?.status().catch(() => undefined);
  const container = {
    containerId: now?.containerId ?? known.containerId,
    // The id of the process that ran stays with an ended task.
    pid: now && now.pid > 0 ? now.pid : known.pid,
    exitCode: exitCode ?? known.exitCode,
  };
  const isKnown = now !== undefined || exitCode !== undefined || before.runtimeStatus !== undefined;
  return {
    runtimeStatus: isKnown ? { $case: 'container', value: container } : undefined,
    portStatus: now ? { ports: now.ports } : before.portStatus,
  };
}

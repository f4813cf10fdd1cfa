/** What a status reported by an agent does to the task it is about. */
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { PortStatus, TaskState, type TaskStatus } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** One report, waiting to be stored. */
export interface StatusReport {
  readonly taskId: string;
  /** Node that reports. */
  readonly nodeId: string;
  readonly status: TaskStatus;
}

/** Who stores a report, and when. */
export interface Stamp {
  readonly appliedBy: string;
  readonly appliedAt: Timestamp;
}

/** States an agent may bring a task to; the others belong to managers. */
const AGENT_STATES: ReadonlySet<TaskState> = new Set([
  TaskState.ASSIGNED,
  TaskState.ACCEPTED,
  TaskState.PREPARING,
  TaskState.READY,
  TaskState.STARTING,
  TaskState.RUNNING,
  TaskState.COMPLETE,
  TaskState.SHUTDOWN,
  TaskState.FAILED,
  TaskState.REJECTED,
]);

export const isAgentState = (state: TaskState): boolean => AGENT_STATES.has(state);

/** The later of two reports about one task: states only grow, and among equal states the newer report tells more. */
export const laterReport = (older: StatusReport, newer: StatusReport): StatusReport =>
  newer.status.state >= older.status.state ? newer : older;

/** The task with the report applied; undefined when the report changes nothing (backwards, known already, not this node's). */
export function applyReport(task: Task | undefined, report: StatusReport, stamp: Stamp): Task | undefined {
  if (!task || task.nodeId !== report.nodeId) return undefined;
  const current = task.status;
  if (current && report.status.state < current.state) return undefined;
  if (current && saysTheSame(current, report.status)) return undefined;
  return { ...task, status: { ...report.status, ...stamp } };
}

/** Whether two statuses tell a reader the same; times do not count. */
function saysTheSame(a: TaskStatus, b: TaskStatus): boolean {
  return (
    a.state === b.state &&
    a.message === b.message &&
    a.err === b.err &&
    sameContainer(a, b) &&
    samePorts(a.portStatus, b.portStatus)
  );
}

function sameContainer(a: TaskStatus, b: TaskStatus): boolean {
  const x = a.runtimeStatus?.value;
  const y = b.runtimeStatus?.value;
  return x?.containerId === y?.containerId && x?.pid === y?.pid && x?.exitCode === y?.exitCode;
}

const samePorts = (a: PortStatus | undefined, b: PortStatus | undefined): boolean =>
  a === b || Buffer.compare(encodePorts(a), encodePorts(b)) === 0;

const encodePorts = (ports: PortStatus | undefined): Uint8Array =>
  PortStatus.encode(ports ?? PortStatus.fromPartial({})).finish();

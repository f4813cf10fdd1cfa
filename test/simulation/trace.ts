/** What happens in a simulated swarm, told line by line: commits as changes of states, faults, and what people ask for. */
import type { Change } from '../../src/manager/store/change.ts';
import type { Commit } from '../../src/manager/store/watch.ts';
import type { Cluster, Node, Service, Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeRole,
  NodeStatus_State,
  TaskState,
  UpdateStatus_UpdateState,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';

/** Takes a line of the story; the time is put before it. */
export type Tell = (line: string) => void;

export function tellCommit(tell: Tell, { version, changes }: Commit): void {
  for (const change of changes) tell(`${version} ${change.kind} ${change.object.id} ${describe(change)}`);
}

const describeCluster = ({ rootCa }: Cluster): string =>
  `has root ${oneLine(rootCa?.caCert)}, on its way to "${oneLine(rootCa?.rootRotation?.caCert)}"`;

function describe({ kind, action, object }: Change): string {
  if (action === 'delete') return 'deleted';
  switch (kind) {
    case 'task':
      return describeTask(object);
    case 'service':
      return describeService(object);
    case 'cluster':
      return describeCluster(object);
    case 'node':
      return describeNode(object);
    default:
      return action;
  }
}

const describeTask = (task: Task): string =>
  `${task.serviceId}.${task.slot} of spec ${task.specVersion?.index} ${imageOf(task)} on "${task.nodeId}" is ` +
  `${nameIn(TaskState, task.status?.state)}, wanted ${nameIn(TaskState, task.desiredState)} ${task.status?.err ?? ''}`;

const describeService = ({ spec, specVersion, updateStatus }: Service): string =>
  JSON.stringify({
    spec: specVersion?.index,
    mode: spec?.mode,
    image: imageOf({ spec: spec?.task }),
    state: nameIn(UpdateStatus_UpdateState, updateStatus?.state),
    message: updateStatus?.message,
    update: spec?.update,
    rollback: spec?.rollback,
    restart: spec?.task?.restart,
    placement: spec?.task?.placement,
  });

const describeNode = ({ status, spec, role, description, certificate }: Node): string =>
  `is ${nameIn(NodeStatus_State, status?.state)} and ${nameIn(NodeSpec_Availability, spec?.availability)}, a ` +
  `${nameIn(NodeRole, role)} to be ${nameIn(NodeRole, spec?.desiredRole)} ${JSON.stringify(spec?.annotations?.labels)}, ` +
  `certified as ${oneLine(certificate?.certificate)}, trusts ${oneLine(description?.tlsInfo?.trustRoot)} and shows one of ` +
  oneLine(description?.tlsInfo?.certIssuerPublicKey);

const oneLine = (bytes: Buffer | undefined): string => (bytes?.toString() ?? '').trim().replaceAll('\n', ', ');

const imageOf = ({ spec }: Pick<Task, 'spec'>): string =>
  spec?.runtime?.$case === 'container' ? spec.runtime.value.image : '';

const nameIn = (names: Readonly<Record<string, number>>, value: number | undefined): string =>
  Object.entries(names).find(([, each]) => each === value)?.[0] ?? String(value);

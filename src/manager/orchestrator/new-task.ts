/** Makes the task object of a wish. */
import { timestampOfMs } from '../../common/time.ts';
import { Task, type Cluster, type Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { TaskWish } from './step.ts';

/** A task in state NEW that carries the service's present spec. */
export function newTask(service: Service, cluster: Cluster | undefined, wish: TaskWish, nowMs: number): Task {
  const spec = service.spec?.task;
  return {
    ...Task.fromPartial({
      id: wish.id,
      serviceId: service.id,
      slot: wish.slot,
      nodeId: wish.nodeId,
      status: { state: TaskState.NEW, timestamp: timestampOfMs(nowMs), message: 'created' },
      desiredState: wish.desiredState,
      jobIteration: wish.jobIteration === undefined ? undefined : { index: wish.jobIteration },
      startAfter: wish.startAfterMs === undefined ? undefined : timestampOfMs(wish.startAfterMs),
    }),
    // Shared, not copied: objects are immutable, and a thousand replicas share one spec in memory.
    spec,
    specVersion: service.specVersion ?? { index: 0 },
    serviceAnnotations: service.spec?.annotations,
    endpoint: { spec: service.spec?.endpoint, ports: [], virtualIps: [] },
    logDriver: spec?.logDriver ?? cluster?.spec?.taskDefaults?.logDriver,
  };
}

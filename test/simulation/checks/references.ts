/** Invariants 38 and 42: nothing is removed while it is used, and a task that goes on from the allocator has all it needs. */
import type { Change } from '../../../src/manager/store/change.ts';
import { stateOf } from '../../../src/manager/orchestrator/task-life.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  PortConfig_PublishMode,
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import type { World } from './world.ts';

export class References implements Check {
  readonly #violate: Violate;

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    for (const change of changes) {
      const { kind, action, object } = change;
      if (action === 'delete') this.#checkRemoval(kind, object.id, world);
      else if (kind === 'service') this.#checkService(object, change.old, world);
      else if (
        kind === 'task' &&
        stateOf(object) === TaskState.PENDING &&
        change.old &&
        stateOf(change.old) === TaskState.NEW
      )
        this.#checkAllocation(object, world);
    }
  }

  #checkRemoval(kind: Change['kind'], id: string, world: World): void {
    if (kind !== 'secret' && kind !== 'config' && kind !== 'network') return;
    const [user] = world.tables.service.by(kind, id);
    if (user) this.#violate(38, `${kind} ${id} is removed though service ${user.id} uses it`);
  }

  /** People may only refer to what is there; an update that rolls itself back may find that something has gone. */
  #checkService(service: Service, old: Service | undefined, world: World): void {
    if (service.spec === old?.spec || service.updateStatus?.state === UpdateState.ROLLBACK_STARTED) return;
    const container = service.spec?.task?.runtime?.$case === 'container' ? service.spec.task.runtime.value : undefined;
    const { secret, config, network } = world.tables;
    const missing = [
      ...(container?.secrets ?? []).map(({ secretId }) => secretId).filter((id) => !secret.get(id)),
      ...(container?.configs ?? []).map(({ configId }) => configId).filter((id) => !config.get(id)),
      ...(service.spec?.task?.networks ?? []).map(({ target }) => target).filter((id) => !network.get(id)),
    ];
    if (missing.length > 0) this.#violate(38, `service ${service.id} refers to ${missing.join(', ')}, not there`);
  }

  /** The whole of it or nothing: an address in every network, and numbers for all ports. */
  #checkAllocation(task: Task, world: World): void {
    const held = new Set(
      task.networks.filter(({ addresses }) => addresses.length > 0).map(({ network }) => network?.id),
    );
    const lacking = (task.spec?.networks ?? []).map(({ target }) => target).filter((id) => !held.has(id));
    if (lacking.length > 0) this.#violate(42, `task ${task.id} goes on without an address in ${lacking.join(', ')}`);
    const ports = world.service(task.serviceId)?.endpoint?.ports ?? [];
    if (ports.some((port) => port.publishMode === PortConfig_PublishMode.INGRESS && port.publishedPort === 0))
      this.#violate(42, `task ${task.id} goes on while a port of ${task.serviceId} has no number`);
  }
}

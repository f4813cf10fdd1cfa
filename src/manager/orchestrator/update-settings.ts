/** How a rolling update or rollback goes about its work. */
import { serviceOptions } from '../../common/service-labels.ts';
import { msOfDuration } from '../../common/time.ts';
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  UpdateConfig_FailureAction as FailureAction,
  UpdateConfig_UpdateOrder as UpdateOrder,
  UpdateStatus_UpdateState as UpdateState,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';

export interface UpdateSettings {
  /** Slots worked on at a time; Infinity for all at once. */
  readonly parallelism: number;
  /** Pause of each worker between two slots, in ms. */
  readonly delayMs: number;
  /** How long a new task is watched after it ran, in ms. */
  readonly monitorMs: number;
  readonly failureAction: FailureAction;
  /** Failures up to this share of the slots are tolerated. */
  readonly maxFailureRatio: number;
  readonly startFirst: boolean;
  /** A slot that does not get its new task running within this many ms counts as a failure. */
  readonly progressDeadlineMs: number | undefined;
}

const DEFAULT_MONITOR_MS = 5000;

export const isRollback = (service: Service): boolean =>
  service.updateStatus?.state === UpdateState.ROLLBACK_STARTED ||
  service.updateStatus?.state === UpdateState.ROLLBACK_COMPLETED;

/** Settings of the update or, while the service rolls back, of the rollback. Without any: one at a time, monitor 5 s, pause. */
export function updateSettings(service: Service): UpdateSettings {
  const config = isRollback(service) ? service.spec?.rollback : service.spec?.update;
  const delayMs = config?.delay ? msOfDuration(config.delay) : 0;
  const monitorMs = config?.monitor ? msOfDuration(config.monitor) : DEFAULT_MONITOR_MS;
  return {
    parallelism: config ? config.parallelism || Infinity : 1,
    delayMs,
    // A delay longer than the monitoring would let the last slot escape it.
    monitorMs: delayMs >= monitorMs ? delayMs + 1000 : monitorMs,
    failureAction: config?.failureAction ?? FailureAction.PAUSE,
    maxFailureRatio: config?.maxFailureRatio ?? 0,
    startFirst: config?.order === UpdateOrder.START_FIRST,
    progressDeadlineMs: serviceOptions(service.spec?.annotations?.labels).updateProgressDeadlineMs,
  };
}

/** Plays one change of a service on a copy of the state until nothing moves any more. */
import { SwarmError } from '../../common/errors.ts';
import { msOfDuration } from '../../common/time.ts';
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
  type UpdateConfig,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { ControlService } from '../control/control.ts';
import { explainService } from '../scheduler/explain.ts';
import type { Reader } from '../store/transaction.ts';
import { planOf, type ServicePlan } from './service-plan.ts';
import { Stage, type StageOptions } from './stage.ts';

/** Makes the change; resolves with the service as it is then. */
export type ServiceChange = (control: ControlService) => Promise<Service | undefined>;

/** An update may last this long on the stage; a day's pauses pass in a moment. */
const HORIZON_MS = 24 * 3_600_000;
/** Transactions after which a play is broken off: some seconds of work. */
const MAX_TRANSACTIONS = 20_000;
/** A service without an update has settled when nothing happened for this long. */
const CALM_MS = 2_000;
/** An update is stuck when nothing happened for this long beyond its own pauses. */
const PATIENCE_MS = 15_000;
const MIN_STEP_MS = 10;
const MAX_STEP_MS = 1_000;

/** Throws what the change itself throws, and cancelled when the signal aborts. */
export async function rehearse(
  options: StageOptions,
  change: ServiceChange,
  signal?: AbortSignal,
): Promise<ServicePlan> {
  const stage = new Stage(options);
  stage.start();
  try {
    // The loops are at work when the change comes, as they are in the cluster.
    await stage.clock.advance(MIN_STEP_MS);
    const known = new Map(
      stage.store.read.service.all().map(({ id }) => [id, stage.store.read.task.by('service', id)]),
    );
    const changed = await change(stage.control);
    if (!changed) throw new SwarmError('notFound', 'the service to plan for was not found');
    // How the nodes do before anything moves is what decides where the tasks go.
    const explanation = explainService(stage.store.read, changed, stage.clock.now());
    const isComplete = await playedOut(stage, changed.id, signal);
    const before = known.get(changed.id) ?? [];
    return planOf({ before, reader: stage.store.read, serviceId: changed.id, explanation, isComplete });
  } finally {
    await stage.stop();
  }
}

/** Resolves with false when the play was broken off. */
async function playedOut({ clock, store }: Stage, serviceId: string, signal?: AbortSignal): Promise<boolean> {
  const first = { ms: clock.now(), version: store.version };
  let quietMs = 0;
  let stepMs = MIN_STEP_MS;
  for (;;) {
    if (signal?.aborted) throw new SwarmError('cancelled', 'nobody waits for the plan any more');
    if (clock.now() - first.ms > HORIZON_MS || store.version - first.version > MAX_TRANSACTIONS) return false;
    const { version } = store;
    await clock.advance(stepMs);
    if (store.version !== version) {
      quietMs = 0;
      stepMs = MIN_STEP_MS;
      continue;
    }
    quietMs += stepMs;
    stepMs = Math.min(stepMs * 2, MAX_STEP_MS);
    const service = store.read.service.get(serviceId);
    if (!service) return true;
    const limitMs = isUnderWay(store.read, service) ? PATIENCE_MS + pausesMs(service) : CALM_MS;
    if (quietMs >= limitMs) return true;
  }
}

/** Something will still happen by itself: an update goes on, or a restart waits for its time. */
function isUnderWay(reader: Reader, service: Service): boolean {
  const update = service.updateStatus?.state;
  return (
    update === UpdateState.UPDATING ||
    update === UpdateState.ROLLBACK_STARTED ||
    reader.task
      .by('service', service.id)
      .some((task) => task.desiredState === TaskState.READY && (task.status?.state ?? 0) <= TaskState.READY)
  );
}

function pausesMs({ spec }: Service): number {
  const of = (config: UpdateConfig | undefined): number =>
    (config?.delay ? msOfDuration(config.delay) : 0) + (config?.monitor ? msOfDuration(config.monitor) : 0);
  const restartDelay = spec?.task?.restart?.delay;
  return Math.max(of(spec?.update), of(spec?.rollback), restartDelay ? msOfDuration(restartDelay) : 0);
}

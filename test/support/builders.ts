/** Builders of objects for tests: what a test does not say gets a sensible value. */
import { durationOfMs } from '../../src/common/time.ts';
import { Node, Service, Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability, ServiceSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeStatus_State,
  RestartPolicy_RestartCondition as Condition,
  TaskState,
  UpdateConfig_FailureAction as FailureAction,
  UpdateConfig_UpdateOrder as UpdateOrder,
  type RestartPolicy,
  type UpdateConfig,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';

export interface RestartGiven {
  readonly condition?: 'none' | 'on-failure' | 'any';
  readonly delayMs?: number;
  readonly maxAttempts?: number;
  readonly windowMs?: number;
}

const CONDITIONS = { none: Condition.NONE, 'on-failure': Condition.ON_FAILURE, any: Condition.ANY } as const;

const aRestartPolicy = (given: RestartGiven): RestartPolicy => ({
  condition: CONDITIONS[given.condition ?? 'any'],
  delay: given.delayMs === undefined ? undefined : durationOfMs(given.delayMs),
  maxAttempts: given.maxAttempts ?? 0,
  window: given.windowMs === undefined ? undefined : durationOfMs(given.windowMs),
});

export interface UpdateGiven {
  readonly parallelism?: number;
  readonly delayMs?: number;
  readonly monitorMs?: number;
  readonly failureAction?: 'pause' | 'continue' | 'rollback';
  readonly maxFailureRatio?: number;
  readonly order?: 'stop-first' | 'start-first';
}

const ACTIONS = {
  pause: FailureAction.PAUSE,
  continue: FailureAction.CONTINUE,
  rollback: FailureAction.ROLLBACK,
} as const;

const anUpdateConfig = (given: UpdateGiven): UpdateConfig => ({
  parallelism: given.parallelism ?? 1,
  delay: given.delayMs === undefined ? undefined : durationOfMs(given.delayMs),
  monitor: given.monitorMs === undefined ? undefined : durationOfMs(given.monitorMs),
  failureAction: ACTIONS[given.failureAction ?? 'pause'],
  maxFailureRatio: given.maxFailureRatio ?? 0,
  order: given.order === 'start-first' ? UpdateOrder.START_FIRST : UpdateOrder.STOP_FIRST,
});

export interface ServiceGiven {
  readonly id?: string;
  readonly replicas?: number;
  readonly global?: boolean;
  readonly replicatedJob?: { readonly maxConcurrent: number; readonly totalCompletions: number };
  readonly globalJob?: boolean;
  readonly image?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly constraints?: readonly string[];
  readonly restart?: RestartGiven;
  readonly update?: UpdateGiven;
  readonly rollback?: UpdateGiven;
}

function modeOf(given: ServiceGiven): NonNullable<ServiceSpec['mode']> {
  if (given.replicatedJob) return { $case: 'replicatedJob', value: given.replicatedJob };
  if (given.globalJob) return { $case: 'globalJob', value: {} };
  if (given.global) return { $case: 'global', value: {} };
  return { $case: 'replicated', value: { replicas: given.replicas ?? 1 } };
}

export function aService(given: ServiceGiven = {}): Service {
  const id = given.id ?? 's1';
  const mode = modeOf(given);
  const spec = ServiceSpec.fromPartial({
    annotations: { name: id, labels: { ...given.labels } },
    task: {
      runtime: { $case: 'container', value: { image: given.image ?? 'v1' } },
      ...(given.restart && { restart: aRestartPolicy(given.restart) }),
      ...(given.constraints && { placement: { constraints: [...given.constraints] } }),
    },
    ...(given.update && { update: anUpdateConfig(given.update) }),
    ...(given.rollback && { rollback: anUpdateConfig(given.rollback) }),
  });
  const jobStatus = given.replicatedJob || given.globalJob ? { jobIteration: { index: 0 } } : undefined;
  return { ...Service.fromPartial({ id, specVersion: { index: 0 }, jobStatus }), spec: { ...spec, mode } };
}

export interface NodeGiven {
  readonly state?: NodeStatus_State;
  readonly availability?: 'active' | 'pause' | 'drain';
  readonly labels?: Readonly<Record<string, string>>;
}

const AVAILABILITY = {
  active: NodeSpec_Availability.ACTIVE,
  pause: NodeSpec_Availability.PAUSE,
  drain: NodeSpec_Availability.DRAIN,
} as const;

export const aNode = (id: string, given: NodeGiven = {}): Node =>
  Node.fromPartial({
    id,
    spec: { annotations: { labels: { ...given.labels } }, availability: AVAILABILITY[given.availability ?? 'active'] },
    status: { state: given.state ?? NodeStatus_State.READY },
    description: { hostname: id },
  });

/** A task made from the present spec of a service. */
export const aTask = (service: Service, given: Readonly<Record<string, unknown>> & { readonly id: string }): Task => ({
  ...Task.fromPartial({
    serviceId: service.id,
    specVersion: service.specVersion,
    desiredState: TaskState.RUNNING,
    status: { state: TaskState.RUNNING },
    endpoint: {},
    ...given,
  }),
  spec: service.spec?.task,
  serviceAnnotations: service.spec?.annotations,
});

export const imageOf = (object: {
  readonly spec?: { readonly runtime?: { readonly $case: string; readonly value: unknown } | undefined } | undefined;
}): string => (object.spec?.runtime?.value as { readonly image?: string } | undefined)?.image ?? '';

/** The values that hold where a service spec says nothing, as `service inspect` shows them. */
import {
  ContainerSpec_DNSConfig,
  type ServiceSpec,
  type TaskSpec,
} from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  Placement,
  ResourceRequirements,
  RestartPolicy,
  RestartPolicy_RestartCondition,
  UpdateConfig,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';

const STOP_GRACE_PERIOD = { seconds: 10, nanos: 0 };
const RESTART_DELAY = { seconds: 5, nanos: 0 };
const MONITOR = { seconds: 5, nanos: 0 };
const UPDATE_CONFIG = UpdateConfig.fromPartial({ parallelism: 1, monitor: MONITOR });

/** A copy of the spec with everything said; as Docker does, jobs get an update behaviour too, though none is updated in steps. */
export function withDefaults(spec: ServiceSpec): ServiceSpec {
  return {
    ...spec,
    task: spec.task && taskWithDefaults(spec.task),
    update: updateWithDefaults(spec.update),
    rollback: updateWithDefaults(spec.rollback),
  };
}

function taskWithDefaults(task: TaskSpec): TaskSpec {
  const { runtime } = task;
  return {
    ...task,
    runtime:
      runtime?.$case === 'container'
        ? {
            $case: 'container',
            value: {
              ...runtime.value,
              stopGracePeriod: runtime.value.stopGracePeriod ?? STOP_GRACE_PERIOD,
              dnsConfig: runtime.value.dnsConfig ?? ContainerSpec_DNSConfig.fromPartial({}),
            },
          }
        : runtime,
    resources: task.resources ?? ResourceRequirements.fromPartial({}),
    restart: task.restart
      ? { ...task.restart, delay: task.restart.delay ?? RESTART_DELAY }
      : RestartPolicy.fromPartial({ condition: RestartPolicy_RestartCondition.ANY, delay: RESTART_DELAY }),
    placement: task.placement ?? Placement.fromPartial({}),
  };
}

const updateWithDefaults = (config: UpdateConfig | undefined): UpdateConfig =>
  config ? { ...config, monitor: config.monitor ?? MONITOR } : UPDATE_CONFIG;

/** How a service is updated and rolled back. */
import {
  UpdateConfig_FailureAction as FailureAction,
  UpdateConfig_UpdateOrder as UpdateOrder,
  UpdateStatus_UpdateState as UpdateState,
  type UpdateConfig,
  type UpdateStatus,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { float32, nanoseconds, struct, text, uint64, type Decoded } from '../json/decoder.ts';
import { durationToDocker, enumWords, float32ToDocker, nonEmpty, nonZeroDuration, timeToDocker } from './values.ts';

const failureActions = enumWords<FailureAction>(FailureAction);
const orders = enumWords<UpdateOrder>(UpdateOrder);
const states = enumWords<UpdateState>(UpdateState, { separator: '_' });

/** Word of an update's state, as in events: "rollback_started". */
export const updateStateWord = (state: UpdateState): string => states.word(state);

export const updateConfig = struct('swarm.UpdateConfig', {
  Parallelism: uint64,
  Delay: nanoseconds,
  FailureAction: text,
  Monitor: nanoseconds,
  MaxFailureRatio: float32,
  Order: text,
});

export const updateConfigToProto = (docker: Decoded<typeof updateConfig>): UpdateConfig => ({
  parallelism: docker.Parallelism ?? 0,
  delay: nonZeroDuration(docker.Delay),
  failureAction: failureActions.parse(
    docker.FailureAction,
    FailureAction.PAUSE,
    (word) => `unrecognized update failure action ${word}`,
  ),
  monitor: nonZeroDuration(docker.Monitor),
  maxFailureRatio: docker.MaxFailureRatio ?? 0,
  order: orders.parse(docker.Order, UpdateOrder.STOP_FIRST, (word) => `unrecognized update order ${word}`),
});

export const updateConfigToDocker = (proto: UpdateConfig): object => ({
  Parallelism: proto.parallelism,
  Delay: proto.delay && nonEmpty(durationToDocker(proto.delay)),
  FailureAction: failureActions.word(proto.failureAction),
  Monitor: proto.monitor && nonEmpty(durationToDocker(proto.monitor)),
  MaxFailureRatio: float32ToDocker(proto.maxFailureRatio),
  Order: orders.word(proto.order),
});

export const updateStatusToDocker = (proto: UpdateStatus): object => ({
  State: states.word(proto.state),
  StartedAt: proto.startedAt && timeToDocker(proto.startedAt),
  CompletedAt: proto.completedAt && timeToDocker(proto.completedAt),
  Message: nonEmpty(proto.message),
});

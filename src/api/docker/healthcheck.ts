/** Health check of a container. */
import type { HealthConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { int32, nanoseconds, struct, texts, type Decoded } from '../json/decoder.ts';
import { durationToDocker, nonEmpty, nonZeroDuration } from './values.ts';
import type { Duration } from '../../proto/generated/google/protobuf/duration.ts';

export const healthcheck = struct('container.HealthConfig', {
  Test: texts,
  Interval: nanoseconds,
  Timeout: nanoseconds,
  StartPeriod: nanoseconds,
  StartInterval: nanoseconds,
  Retries: int32,
});

export const healthcheckToProto = (docker: Decoded<typeof healthcheck>): HealthConfig => ({
  test: docker.Test ?? [],
  interval: nonZeroDuration(docker.Interval),
  timeout: nonZeroDuration(docker.Timeout),
  startPeriod: nonZeroDuration(docker.StartPeriod),
  startInterval: nonZeroDuration(docker.StartInterval),
  retries: docker.Retries ?? 0,
});

const nonZero = (duration: Duration | undefined) => duration && nonEmpty(durationToDocker(duration));

export const healthcheckToDocker = (proto: HealthConfig): object => ({
  Test: nonEmpty(proto.test),
  Interval: nonZero(proto.interval),
  Timeout: nonZero(proto.timeout),
  StartPeriod: nonZero(proto.startPeriod),
  StartInterval: nonZero(proto.startInterval),
  Retries: nonEmpty(proto.retries),
});

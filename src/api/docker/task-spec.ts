/** What a service's tasks have in common: Docker's TaskSpec. */
import type { NetworkAttachmentConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import {
  RestartPolicy_RestartCondition as RestartCondition,
  type Placement,
  type ResourceRequirements,
  type RestartPolicy,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { TaskSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { badRequest } from '../http-error.ts';
import { int64, list, nanoseconds, struct, text, textMap, texts, uint64, type Decoded } from '../json/decoder.ts';
import {
  driver,
  driverToDocker,
  driverToProto,
  platform,
  platformToDocker,
  platformToProto,
  resources,
  resourcesToDocker,
  resourcesToProto,
} from './common.ts';
import { containerSpec, containerSpecToDocker, containerSpecToProto } from './container-spec.ts';
import { durationToDocker, durationToProto, enumWords, nonEmpty } from './values.ts';

const restartConditions = enumWords<RestartCondition>(RestartCondition);

const limit = struct('swarm.Limit', { NanoCPUs: int64, MemoryBytes: int64, Pids: int64 });
const resourceRequirements = struct('swarm.ResourceRequirements', {
  Limits: limit,
  Reservations: resources,
  SwapBytes: int64,
  MemorySwappiness: int64,
});
const restartPolicy = struct('swarm.RestartPolicy', {
  Condition: text,
  Delay: nanoseconds,
  MaxAttempts: uint64,
  Window: nanoseconds,
});
const placement = struct('swarm.Placement', {
  Constraints: texts,
  Preferences: list(
    struct('swarm.PlacementPreference', { Spread: struct('swarm.SpreadOver', { SpreadDescriptor: text }) }),
  ),
  MaxReplicas: uint64,
  Platforms: list(platform),
});
export const networkAttachmentConfig = struct('swarm.NetworkAttachmentConfig', {
  Target: text,
  Aliases: texts,
  DriverOpts: textMap,
});

export const taskSpec = struct('swarm.TaskSpec', {
  ContainerSpec: containerSpec,
  PluginSpec: struct('runtime.PluginSpec', {}),
  NetworkAttachmentSpec: struct('swarm.NetworkAttachmentSpec', { ContainerID: text }),
  Resources: resourceRequirements,
  RestartPolicy: restartPolicy,
  Placement: placement,
  Networks: list(networkAttachmentConfig),
  LogDriver: driver,
  ForceUpdate: uint64,
  Runtime: text,
});
export type DockerTaskSpec = Decoded<typeof taskSpec>;

export function taskSpecToProto(docker: DockerTaskSpec): TaskSpec {
  return {
    runtime: runtimeToProto(docker),
    resources: docker.Resources && resourceRequirementsToProto(docker.Resources),
    restart: docker.RestartPolicy && restartPolicyToProto(docker.RestartPolicy),
    placement: docker.Placement && placementToProto(docker.Placement),
    networks: (docker.Networks ?? []).map(networkAttachmentConfigToProto),
    logDriver: docker.LogDriver && driverToProto(docker.LogDriver),
    forceUpdate: docker.ForceUpdate ?? 0,
    resourceReferences: [],
  };
}

function runtimeToProto(docker: DockerTaskSpec): TaskSpec['runtime'] {
  if (docker.Runtime === 'plugin') {
    throw badRequest('TaskTemplate.Runtime "plugin": plugin services are not offered; use "container"');
  }
  if (docker.Runtime && docker.Runtime !== 'container') throw badRequest('unsupported runtime');
  if (!docker.ContainerSpec) throw badRequest('mismatched Runtime and *Spec fields');
  const container = containerSpecToProto(docker.ContainerSpec);
  return { $case: 'container', value: { ...container, pidsLimit: docker.Resources?.Limits?.Pids ?? 0 } };
}

const resourceRequirementsToProto = (docker: Decoded<typeof resourceRequirements>): ResourceRequirements => ({
  limits: docker.Limits && {
    nanoCpus: docker.Limits.NanoCPUs ?? 0,
    memoryBytes: docker.Limits.MemoryBytes ?? 0,
    generic: [],
  },
  reservations: docker.Reservations && resourcesToProto(docker.Reservations),
  swapBytes: docker.SwapBytes,
  memorySwappiness: docker.MemorySwappiness,
});

const restartPolicyToProto = (docker: Decoded<typeof restartPolicy>): RestartPolicy => ({
  condition: restartConditions.parse(
    docker.Condition,
    RestartCondition.ANY,
    (word) => `invalid RestartCondition: "${word}"`,
  ),
  delay: docker.Delay === undefined ? undefined : durationToProto(docker.Delay),
  window: docker.Window === undefined ? undefined : durationToProto(docker.Window),
  maxAttempts: docker.MaxAttempts ?? 0,
});

const placementToProto = (docker: Decoded<typeof placement>): Placement => ({
  constraints: docker.Constraints ?? [],
  preferences: (docker.Preferences ?? []).flatMap(({ Spread: spread }) =>
    spread ? [{ Preference: { $case: 'spread', value: { spreadDescriptor: spread.SpreadDescriptor ?? '' } } }] : [],
  ),
  maxReplicas: docker.MaxReplicas ?? 0,
  platforms: (docker.Platforms ?? []).map(platformToProto),
});

export const networkAttachmentConfigToProto = (
  docker: Decoded<typeof networkAttachmentConfig>,
): NetworkAttachmentConfig => ({
  target: docker.Target ?? '',
  aliases: docker.Aliases ?? [],
  addresses: [],
  driverAttachmentOpts: docker.DriverOpts ?? {},
});

export function taskSpecToDocker(proto: TaskSpec, apiMinor: number): object {
  const container = proto.runtime?.$case === 'container' ? proto.runtime.value : undefined;
  return {
    ContainerSpec: container && containerSpecToDocker(container, apiMinor),
    NetworkAttachmentSpec:
      proto.runtime?.$case === 'attachment' ? { ContainerID: proto.runtime.value.containerId } : undefined,
    Resources: proto.resources && resourceRequirementsToDocker(proto.resources, container?.pidsLimit ?? 0),
    RestartPolicy: proto.restart && restartPolicyToDocker(proto.restart),
    Placement: proto.placement && placementToDocker(proto.placement),
    Networks: nonEmpty(proto.networks.map(networkAttachmentConfigToDocker)),
    LogDriver: proto.logDriver && driverToDocker(proto.logDriver),
    ForceUpdate: proto.forceUpdate,
  };
}

const resourceRequirementsToDocker = (proto: ResourceRequirements, pidsLimit: number): object => ({
  Limits: proto.limits && {
    NanoCPUs: nonEmpty(proto.limits.nanoCpus),
    MemoryBytes: nonEmpty(proto.limits.memoryBytes),
    Pids: nonEmpty(pidsLimit),
  },
  Reservations: proto.reservations && resourcesToDocker(proto.reservations),
  SwapBytes: proto.swapBytes,
  MemorySwappiness: proto.memorySwappiness,
});

const restartPolicyToDocker = (proto: RestartPolicy): object => ({
  Condition: restartConditions.word(proto.condition),
  Delay: proto.delay && durationToDocker(proto.delay),
  MaxAttempts: proto.maxAttempts,
  Window: proto.window && durationToDocker(proto.window),
});

const placementToDocker = (proto: Placement): object => ({
  Constraints: nonEmpty(proto.constraints),
  Preferences: nonEmpty(
    proto.preferences.flatMap(({ Preference: preference }) =>
      preference ? [{ Spread: { SpreadDescriptor: preference.value.spreadDescriptor } }] : [],
    ),
  ),
  MaxReplicas: nonEmpty(proto.maxReplicas),
  Platforms: nonEmpty(proto.platforms.map(platformToDocker)),
});

export const networkAttachmentConfigToDocker = (proto: NetworkAttachmentConfig): object => ({
  Target: nonEmpty(proto.target),
  Aliases: nonEmpty(proto.aliases),
  DriverOpts: nonEmpty(proto.driverAttachmentOpts),
});

/** What people ask of a service: Docker's ServiceSpec. */
import type { ServiceSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { badRequest } from '../http-error.ts';
import { list, struct, uint64, type Decoded } from '../json/decoder.ts';
import { annotationFields, annotationsToDocker, annotationsToProto } from './common.ts';
import { endpointSpec, endpointSpecToDocker, endpointSpecToProto } from './endpoint.ts';
import {
  networkAttachmentConfig,
  networkAttachmentConfigToDocker,
  networkAttachmentConfigToProto,
  taskSpec,
  taskSpecToDocker,
  taskSpecToProto,
} from './task-spec.ts';
import { updateConfig, updateConfigToDocker, updateConfigToProto } from './update-config.ts';
import { nonEmpty } from './values.ts';

const serviceMode = struct('swarm.ServiceMode', {
  Replicated: struct('swarm.ReplicatedService', { Replicas: uint64 }),
  Global: struct('swarm.GlobalService', {}),
  ReplicatedJob: struct('swarm.ReplicatedJob', { MaxConcurrent: uint64, TotalCompletions: uint64 }),
  GlobalJob: struct('swarm.GlobalJob', {}),
});

export const serviceSpec = struct('swarm.ServiceSpec', {
  ...annotationFields,
  TaskTemplate: taskSpec,
  Mode: serviceMode,
  UpdateConfig: updateConfig,
  RollbackConfig: updateConfig,
  Networks: list(networkAttachmentConfig),
  EndpointSpec: endpointSpec,
});
export type DockerServiceSpec = Decoded<typeof serviceSpec>;

/** Network targets stay as written (name or id). Throws badRequest. */
export function serviceSpecToProto(docker: DockerServiceSpec): ServiceSpec {
  return {
    annotations: annotationsToProto(docker),
    task: taskSpecToProto(docker.TaskTemplate ?? {}),
    mode: modeToProto(docker.Mode ?? {}),
    update: docker.UpdateConfig && updateConfigToProto(docker.UpdateConfig),
    rollback: docker.RollbackConfig && updateConfigToProto(docker.RollbackConfig),
    networks: (docker.Networks ?? []).map(networkAttachmentConfigToProto),
    endpoint: docker.EndpointSpec && endpointSpecToProto(docker.EndpointSpec),
  };
}

/** A service that says nothing is replicated, once. */
function modeToProto(mode: Decoded<typeof serviceMode>): ServiceSpec['mode'] {
  if (Object.values(mode).filter((m) => m !== undefined).length > 1) {
    throw badRequest('must specify only one service mode');
  }
  if (mode.Global) return { $case: 'global', value: {} };
  if (mode.GlobalJob) return { $case: 'globalJob', value: {} };
  if (mode.ReplicatedJob) {
    const maxConcurrent = mode.ReplicatedJob.MaxConcurrent ?? 1;
    const totalCompletions = mode.ReplicatedJob.TotalCompletions ?? maxConcurrent;
    return { $case: 'replicatedJob', value: { maxConcurrent, totalCompletions } };
  }
  return { $case: 'replicated', value: { replicas: mode.Replicated?.Replicas ?? 1 } };
}

export function serviceSpecToDocker(proto: ServiceSpec, apiMinor: number): object {
  const isContainer = proto.task?.runtime?.$case === 'container';
  return {
    ...annotationsToDocker(proto.annotations),
    TaskTemplate: {
      ...(proto.task && taskSpecToDocker(proto.task, apiMinor)),
      Runtime: isContainer ? 'container' : undefined,
    },
    Mode: modeToDocker(proto.mode),
    UpdateConfig: proto.update && updateConfigToDocker(proto.update),
    RollbackConfig: proto.rollback && updateConfigToDocker(proto.rollback),
    Networks: nonEmpty(proto.networks.map(networkAttachmentConfigToDocker)),
    EndpointSpec: proto.endpoint && endpointSpecToDocker(proto.endpoint),
  };
}

function modeToDocker(mode: ServiceSpec['mode']): object {
  switch (mode?.$case) {
    case 'replicated':
      return { Replicated: { Replicas: mode.value.replicas } };
    case 'global':
      return { Global: {} };
    case 'replicatedJob':
      return {
        ReplicatedJob: {
          MaxConcurrent: mode.value.maxConcurrent,
          TotalCompletions: mode.value.totalCompletions,
        },
      };
    case 'globalJob':
      return { GlobalJob: {} };
    case undefined:
      return {};
  }
}

/** References of a container to secrets and configs. */
import type { ConfigReference, FileTarget, SecretReference } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { badRequest } from '../http-error.ts';
import { struct, text, uint32, type Decoded } from '../json/decoder.ts';

const fileTarget = (goType: string) => struct(goType, { Name: text, UID: text, GID: text, Mode: uint32 });
type DockerFileTarget = Decoded<ReturnType<typeof fileTarget>>;

const fileToProto = (file: DockerFileTarget): FileTarget => ({
  name: file.Name ?? '',
  uid: file.UID ?? '',
  gid: file.GID ?? '',
  mode: file.Mode ?? 0,
});

const fileToDocker = (file: FileTarget): object => ({
  Name: file.name,
  UID: file.uid,
  GID: file.gid,
  Mode: file.mode,
});

export const secretReference = struct('swarm.SecretReference', {
  File: fileTarget('swarm.SecretReferenceFileTarget'),
  SecretID: text,
  SecretName: text,
});

export const secretReferenceToProto = (docker: Decoded<typeof secretReference>): SecretReference => ({
  secretId: docker.SecretID ?? '',
  secretName: docker.SecretName ?? '',
  target: docker.File && { $case: 'file', value: fileToProto(docker.File) },
});

export const secretReferenceToDocker = (proto: SecretReference): object => ({
  File: proto.target ? fileToDocker(proto.target.value) : null,
  SecretID: proto.secretId,
  SecretName: proto.secretName,
});

export const configReference = struct('swarm.ConfigReference', {
  File: fileTarget('swarm.ConfigReferenceFileTarget'),
  Runtime: struct('swarm.ConfigReferenceRuntimeTarget', {}),
  ConfigID: text,
  ConfigName: text,
});

/** Throws badRequest. */
export function configReferenceToProto(docker: Decoded<typeof configReference>): ConfigReference {
  const reference = { configId: docker.ConfigID ?? '', configName: docker.ConfigName ?? '' };
  if (docker.Runtime && docker.File) throw badRequest('invalid Config: cannot specify both File and Runtime');
  if (!docker.Runtime && !docker.File) throw badRequest('invalid Config: either File or Runtime should be set');
  if (docker.Runtime) return { ...reference, target: { $case: 'runtime', value: {} } };
  return { ...reference, target: docker.File && { $case: 'file', value: fileToProto(docker.File) } };
}

export const configReferenceToDocker = (proto: ConfigReference): object => ({
  File: proto.target?.$case === 'file' ? fileToDocker(proto.target.value) : undefined,
  Runtime: proto.target?.$case === 'runtime' ? {} : undefined,
  ConfigID: proto.configId,
  ConfigName: proto.configName,
});

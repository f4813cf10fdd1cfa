/** Parts that several kinds of object share: names with labels, drivers, platforms, resources. */
import type {
  Annotations,
  Driver,
  GenericResource,
  Platform,
  Resources,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { int64, list, struct, text, textMap, type Decoded } from '../json/decoder.ts';
import { isPresent, nonEmpty } from './values.ts';

/** Fields of an object that has a name and labels; Go embeds them, so they stand beside the object's own. */
export const annotationFields = { Name: text, Labels: textMap } as const;

interface DockerAnnotations {
  readonly Name?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
}

export const annotationsToProto = (docker: DockerAnnotations): Annotations => ({
  name: docker.Name ?? '',
  labels: docker.Labels ?? {},
  indices: [],
});

export const annotationsToDocker = (annotations: Annotations | undefined): object => ({
  Name: nonEmpty(annotations?.name),
  Labels: annotations?.labels ?? {},
});

export const driver = struct('swarm.Driver', { Name: text, Options: textMap });

export const driverToProto = (docker: Decoded<typeof driver>): Driver => ({
  name: docker.Name ?? '',
  options: docker.Options ?? {},
});

export const driverToDocker = (proto: Driver): object => ({
  Name: nonEmpty(proto.name),
  Options: nonEmpty(proto.options),
});

export const platform = struct('swarm.Platform', { Architecture: text, OS: text });

export const platformToProto = (docker: Decoded<typeof platform>): Platform => ({
  architecture: docker.Architecture ?? '',
  os: docker.OS ?? '',
});

export const platformToDocker = (proto: Platform): object => ({
  Architecture: nonEmpty(proto.architecture),
  OS: nonEmpty(proto.os),
});

const genericResource = struct('swarm.GenericResource', {
  NamedResourceSpec: struct('swarm.NamedGenericResource', { Kind: text, Value: text }),
  DiscreteResourceSpec: struct('swarm.DiscreteGenericResource', { Kind: text, Value: int64 }),
});

function genericResourceToProto(docker: Decoded<typeof genericResource>): GenericResource | undefined {
  const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } = docker;
  if (discrete) {
    const value = { kind: discrete.Kind ?? '', value: discrete.Value ?? 0 };
    return { resource: { $case: 'discreteResourceSpec', value } };
  }
  if (named) {
    return { resource: { $case: 'namedResourceSpec', value: { kind: named.Kind ?? '', value: named.Value ?? '' } } };
  }
  return undefined;
}

export function genericResourceToDocker({ resource }: GenericResource): object {
  if (!resource) return {};
  const value = { Kind: nonEmpty(resource.value.kind), Value: nonEmpty<string | number>(resource.value.value) };
  return resource.$case === 'namedResourceSpec' ? { NamedResourceSpec: value } : { DiscreteResourceSpec: value };
}

export const resources = struct('swarm.Resources', {
  NanoCPUs: int64,
  MemoryBytes: int64,
  GenericResources: list(genericResource),
});

export const resourcesToProto = (docker: Decoded<typeof resources>): Resources => ({
  nanoCpus: docker.NanoCPUs ?? 0,
  memoryBytes: docker.MemoryBytes ?? 0,
  generic: (docker.GenericResources ?? []).map(genericResourceToProto).filter(isPresent),
});

export const resourcesToDocker = (proto: Resources): object => ({
  NanoCPUs: nonEmpty(proto.nanoCpus),
  MemoryBytes: nonEmpty(proto.memoryBytes),
  GenericResources: nonEmpty(proto.generic.map(genericResourceToDocker)),
});

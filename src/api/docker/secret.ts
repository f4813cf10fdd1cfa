/** Secrets and configs: named data. A secret's data never comes back, a config's does. */
import type { ConfigSpec, SecretSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { Config, Secret } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { bytes, struct, type Decoded } from '../json/decoder.ts';
import {
  annotationFields,
  annotationsToDocker,
  annotationsToProto,
  driver,
  driverToDocker,
  driverToProto,
} from './common.ts';
import { metaToDocker, nonEmpty } from './values.ts';

export const secretSpec = struct('swarm.SecretSpec', {
  ...annotationFields,
  Data: bytes,
  Driver: driver,
  Templating: driver,
});

export const secretSpecToProto = (docker: Decoded<typeof secretSpec>): SecretSpec => ({
  annotations: annotationsToProto(docker),
  data: docker.Data ?? Buffer.alloc(0),
  driver: docker.Driver && driverToProto(docker.Driver),
  templating: docker.Templating && driverToProto(docker.Templating),
});

export const secretToDocker = ({ id, meta, spec }: Secret): object => ({
  ID: id,
  ...metaToDocker(meta),
  Spec: {
    ...annotationsToDocker(spec?.annotations),
    Driver: spec?.driver && driverToDocker(spec.driver),
    Templating: spec?.templating && driverToDocker(spec.templating),
  },
});

export const configSpec = struct('swarm.ConfigSpec', { ...annotationFields, Data: bytes, Templating: driver });

export const configSpecToProto = (docker: Decoded<typeof configSpec>): ConfigSpec => ({
  annotations: annotationsToProto(docker),
  data: docker.Data ?? Buffer.alloc(0),
  templating: docker.Templating && driverToProto(docker.Templating),
});

export const configToDocker = ({ id, meta, spec }: Config): object => ({
  ID: id,
  ...metaToDocker(meta),
  Spec: {
    ...annotationsToDocker(spec?.annotations),
    Data: nonEmpty(Buffer.from(spec?.data ?? []).toString('base64')),
    Templating: spec?.templating && driverToDocker(spec.templating),
  },
});

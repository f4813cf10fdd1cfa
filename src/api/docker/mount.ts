/** Mounts of a container. */
import {
  Mount_BindOptions_Propagation as Propagation,
  Mount_Consistency as Consistency,
  Mount_Type as MountType,
  type Mount,
  type Mount_BindOptions,
  type Mount_TmpfsOptions,
  type Mount_VolumeOptions,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { flag, int64, list, struct, text, textMap, texts, uint32, type Decoded } from '../json/decoder.ts';
import { driver, driverToDocker, driverToProto } from './common.ts';
import { enumWords, nonEmpty } from './values.ts';

const types = enumWords<MountType>(MountType);
const consistencies = enumWords<Consistency>(Consistency);
const propagations = enumWords<Propagation>(Propagation);

const bindOptions = struct('mount.BindOptions', {
  Propagation: text,
  NonRecursive: flag,
  CreateMountpoint: flag,
  ReadOnlyNonRecursive: flag,
  ReadOnlyForceRecursive: flag,
});
const volumeOptions = struct('mount.VolumeOptions', {
  NoCopy: flag,
  Labels: textMap,
  Subpath: text,
  DriverConfig: driver,
});
const tmpfsOptions = struct('mount.TmpfsOptions', { SizeBytes: int64, Mode: uint32, Options: list(texts) });

export const mount = struct('mount.Mount', {
  Type: text,
  Source: text,
  Target: text,
  ReadOnly: flag,
  Consistency: text,
  BindOptions: bindOptions,
  VolumeOptions: volumeOptions,
  TmpfsOptions: tmpfsOptions,
  ClusterOptions: struct('mount.ClusterOptions', {}),
});
type DockerMount = Decoded<typeof mount>;

export function mountToProto(docker: DockerMount): Mount {
  return {
    type: types.parse(docker.Type?.toLowerCase(), MountType.BIND, () => `invalid MountType: "${docker.Type}"`),
    source: docker.Source ?? '',
    target: docker.Target ?? '',
    readonly: docker.ReadOnly ?? false,
    consistency: consistencies.parse(
      docker.Consistency?.toLowerCase(),
      Consistency.DEFAULT,
      () => `invalid MountConsistency: "${docker.Consistency}"`,
    ),
    bindOptions: docker.BindOptions && bindOptionsToProto(docker.BindOptions),
    volumeOptions: docker.VolumeOptions && volumeOptionsToProto(docker.VolumeOptions),
    tmpfsOptions: docker.TmpfsOptions && tmpfsOptionsToProto(docker.TmpfsOptions),
  };
}

/** Options that say nothing are dropped, as Docker does. */
function bindOptionsToProto(docker: Decoded<typeof bindOptions>): Mount_BindOptions | undefined {
  const options = {
    propagation: propagations.parse(
      docker.Propagation?.toLowerCase(),
      Propagation.RPRIVATE,
      () => `invalid MountPropagation: "${docker.Propagation}"`,
    ),
    nonrecursive: docker.NonRecursive ?? false,
    createmountpoint: docker.CreateMountpoint ?? false,
    readonlynonrecursive: docker.ReadOnlyNonRecursive ?? false,
    readonlyforcerecursive: docker.ReadOnlyForceRecursive ?? false,
  };
  return docker.Propagation || Object.values(options).includes(true) ? options : undefined;
}

const volumeOptionsToProto = (docker: Decoded<typeof volumeOptions>): Mount_VolumeOptions => ({
  nocopy: docker.NoCopy ?? false,
  labels: docker.Labels ?? {},
  subpath: docker.Subpath ?? '',
  driverConfig: docker.DriverConfig && driverToProto(docker.DriverConfig),
});

/** The wire protocol has one string for the list of options; it holds JSON. */
const tmpfsOptionsToProto = (docker: Decoded<typeof tmpfsOptions>): Mount_TmpfsOptions => ({
  sizeBytes: docker.SizeBytes ?? 0,
  mode: docker.Mode ?? 0,
  options: nonEmpty(docker.Options) ? JSON.stringify(docker.Options) : '',
});

export const mountToDocker = (proto: Mount): object => ({
  Type: types.word(proto.type),
  Source: nonEmpty(proto.source),
  Target: nonEmpty(proto.target),
  ReadOnly: nonEmpty(proto.readonly),
  Consistency: proto.consistency === Consistency.DEFAULT ? undefined : consistencies.word(proto.consistency),
  BindOptions: proto.bindOptions && {
    Propagation: propagations.word(proto.bindOptions.propagation),
    NonRecursive: nonEmpty(proto.bindOptions.nonrecursive),
    CreateMountpoint: nonEmpty(proto.bindOptions.createmountpoint),
    ReadOnlyNonRecursive: nonEmpty(proto.bindOptions.readonlynonrecursive),
    ReadOnlyForceRecursive: nonEmpty(proto.bindOptions.readonlyforcerecursive),
  },
  VolumeOptions: proto.volumeOptions && {
    NoCopy: nonEmpty(proto.volumeOptions.nocopy),
    Labels: nonEmpty(proto.volumeOptions.labels),
    Subpath: nonEmpty(proto.volumeOptions.subpath),
    DriverConfig: proto.volumeOptions.driverConfig && driverToDocker(proto.volumeOptions.driverConfig),
  },
  TmpfsOptions: proto.tmpfsOptions && {
    SizeBytes: nonEmpty(proto.tmpfsOptions.sizeBytes),
    Mode: nonEmpty(proto.tmpfsOptions.mode),
    Options: tmpfsOptionList(proto.tmpfsOptions.options),
  },
  ClusterOptions: proto.type === MountType.CLUSTER ? {} : undefined,
});

function tmpfsOptionList(options: string): unknown {
  if (options === '') return undefined;
  try {
    return JSON.parse(options) as unknown;
  } catch {
    // Written by another peer in a form of its own: one option per comma.
    return options.split(',').map((option) => option.split('='));
  }
}

/** What runs: Docker's ContainerSpec. */
import {
  ContainerSpec_Isolation as Isolation,
  type ContainerSpec,
} from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { flag, int64, list, nanoseconds, struct, text, textMap, texts, type Decoded } from '../json/decoder.ts';
import {
  configReference,
  configReferenceToDocker,
  configReferenceToProto,
  secretReference,
  secretReferenceToDocker,
  secretReferenceToProto,
} from './file-reference.ts';
import { healthcheck, healthcheckToDocker, healthcheckToProto } from './healthcheck.ts';
import { mount, mountToDocker, mountToProto } from './mount.ts';
import { privileges, privilegesToDocker, privilegesToProto } from './privileges.ts';
import { durationToDocker, durationToProto, enumWords, nonEmpty } from './values.ts';

const isolations = enumWords<Isolation>(Isolation);

const dnsConfig = struct('swarm.DNSConfig', { Nameservers: texts, Search: texts, Options: texts });
const ulimit = struct('units.Ulimit', { Name: text, Hard: int64, Soft: int64 });

export const containerSpec = struct('swarm.ContainerSpec', {
  Image: text,
  Labels: textMap,
  Command: texts,
  Args: texts,
  Hostname: text,
  Env: texts,
  Dir: text,
  User: text,
  Groups: texts,
  Privileges: privileges,
  Init: flag,
  StopSignal: text,
  TTY: flag,
  OpenStdin: flag,
  ReadOnly: flag,
  Mounts: list(mount),
  StopGracePeriod: nanoseconds,
  Healthcheck: healthcheck,
  Hosts: texts,
  DNSConfig: dnsConfig,
  Secrets: list(secretReference),
  Configs: list(configReference),
  Isolation: text,
  Sysctls: textMap,
  CapabilityAdd: texts,
  CapabilityDrop: texts,
  Ulimits: list(ulimit),
  OomScoreAdj: int64,
});
export type DockerContainerSpec = Decoded<typeof containerSpec>;

/** `pidsLimit` is 0 here: Docker keeps it with the resources, see task-spec.ts. */
export function containerSpecToProto(docker: DockerContainerSpec): ContainerSpec {
  return {
    image: docker.Image ?? '',
    labels: docker.Labels ?? {},
    command: docker.Command ?? [],
    args: docker.Args ?? [],
    hostname: docker.Hostname ?? '',
    env: docker.Env ?? [],
    dir: docker.Dir ?? '',
    user: docker.User ?? '',
    groups: docker.Groups ?? [],
    privileges: docker.Privileges && privilegesToProto(docker.Privileges),
    init: docker.Init,
    stopSignal: docker.StopSignal ?? '',
    tty: docker.TTY ?? false,
    openStdin: docker.OpenStdin ?? false,
    readOnly: docker.ReadOnly ?? false,
    mounts: (docker.Mounts ?? []).map(mountToProto),
    stopGracePeriod: docker.StopGracePeriod === undefined ? undefined : durationToProto(docker.StopGracePeriod),
    pullOptions: undefined,
    healthcheck: docker.Healthcheck && healthcheckToProto(docker.Healthcheck),
    hosts: docker.Hosts ?? [],
    dnsConfig: docker.DNSConfig && {
      nameservers: docker.DNSConfig.Nameservers ?? [],
      search: docker.DNSConfig.Search ?? [],
      options: docker.DNSConfig.Options ?? [],
    },
    secrets: (docker.Secrets ?? []).map(secretReferenceToProto),
    configs: (docker.Configs ?? []).map(configReferenceToProto),
    // Like Docker: any case, and a word it does not know means the default.
    isolation: isolations.find(docker.Isolation?.toLowerCase()) ?? Isolation.DEFAULT,
    pidsLimit: 0,
    sysctls: docker.Sysctls ?? {},
    capabilityAdd: docker.CapabilityAdd ?? [],
    capabilityDrop: docker.CapabilityDrop ?? [],
    ulimits: (docker.Ulimits ?? []).map((u) => ({ name: u.Name ?? '', hard: u.Hard ?? 0, soft: u.Soft ?? 0 })),
    oomScoreAdj: docker.OomScoreAdj ?? 0,
  };
}

export function containerSpecToDocker(proto: ContainerSpec, apiMinor: number): object {
  return {
    Image: nonEmpty(proto.image),
    Labels: nonEmpty(proto.labels),
    Command: nonEmpty(proto.command),
    Args: nonEmpty(proto.args),
    Hostname: nonEmpty(proto.hostname),
    Env: nonEmpty(proto.env),
    Dir: nonEmpty(proto.dir),
    User: nonEmpty(proto.user),
    Groups: nonEmpty(proto.groups),
    Privileges: proto.privileges && privilegesToDocker(proto.privileges, apiMinor),
    Init: proto.init,
    StopSignal: nonEmpty(proto.stopSignal),
    TTY: nonEmpty(proto.tty),
    OpenStdin: nonEmpty(proto.openStdin),
    ReadOnly: nonEmpty(proto.readOnly),
    Mounts: nonEmpty(proto.mounts.map(mountToDocker)),
    StopGracePeriod: proto.stopGracePeriod && durationToDocker(proto.stopGracePeriod),
    Healthcheck: proto.healthcheck && healthcheckToDocker(proto.healthcheck),
    Hosts: nonEmpty(proto.hosts),
    DNSConfig: proto.dnsConfig && {
      Nameservers: nonEmpty(proto.dnsConfig.nameservers),
      Search: nonEmpty(proto.dnsConfig.search),
      Options: nonEmpty(proto.dnsConfig.options),
    },
    Secrets: nonEmpty(proto.secrets.map(secretReferenceToDocker)),
    Configs: nonEmpty(proto.configs.map(configReferenceToDocker)),
    Isolation: isolations.word(proto.isolation),
    Sysctls: nonEmpty(proto.sysctls),
    CapabilityAdd: nonEmpty(proto.capabilityAdd),
    CapabilityDrop: nonEmpty(proto.capabilityDrop),
    Ulimits: nonEmpty(proto.ulimits.map((u) => ({ Name: u.name, Hard: u.hard, Soft: u.soft }))),
    OomScoreAdj: nonEmpty(proto.oomScoreAdj),
  };
}

/** Networks: as `GET /networks` shows them, as tasks refer to them, and as people ask for them. */
import type { IPAMConfig, IPAMOptions } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { NetworkSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { Network } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { parseIpNetwork } from '../../manager/placement/ip-network.ts';
import { badRequest } from '../http-error.ts';
import { flag, list, struct, text, textMap, type Decoded } from '../json/decoder.ts';
import { annotationsToDocker, driverToDocker } from './common.ts';
import { metaToDocker, nonEmpty, timeToDocker } from './values.ts';

const ipamConfig = struct('network.IPAMConfig', {
  Subnet: text,
  IPRange: text,
  Gateway: text,
  AuxiliaryAddresses: textMap,
});

export const networkCreateRequest = struct('types.NetworkCreateRequest', {
  Name: text,
  Driver: text,
  Scope: text,
  EnableIPv6: flag,
  IPAM: struct('network.IPAM', { Driver: text, Options: textMap, Config: list(ipamConfig) }),
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  ConfigOnly: flag,
  ConfigFrom: struct('network.ConfigReference', { Network: text }),
  Options: textMap,
  Labels: textMap,
  CheckDuplicate: flag,
});
export type DockerNetworkCreateRequest = Decoded<typeof networkCreateRequest>;

/** Throws badRequest. */
export function networkSpecToProto(docker: DockerNetworkCreateRequest): NetworkSpec {
  const { IPAM: ipam, ConfigFrom: configFrom } = docker;
  return {
    annotations: { name: docker.Name ?? '', labels: docker.Labels ?? {}, indices: [] },
    driverConfig: { name: docker.Driver ?? '', options: docker.Options ?? {} },
    ipv6Enabled: docker.EnableIPv6 ?? false,
    internal: docker.Internal ?? false,
    attachable: docker.Attachable ?? false,
    ingress: docker.Ingress ?? false,
    ipam: ipam && {
      driver: { name: ipam.Driver ?? 'default', options: ipam.Options ?? {} },
      configs: (ipam.Config ?? []).map(ipamConfigToProto),
    },
    configFrom: configFrom?.Network ? { $case: 'network', value: configFrom.Network } : undefined,
  };
}

function ipamConfigToProto(docker: Decoded<typeof ipamConfig>): IPAMConfig {
  const { Subnet: subnet = '' } = docker;
  if (!parseIpNetwork(subnet)) {
    throw badRequest(`Invalid subnet ${subnet} : invalid CIDR address: ${subnet}`);
  }
  return {
    family: 0,
    subnet,
    range: docker.IPRange ?? '',
    gateway: docker.Gateway ?? '',
    reserved: docker.AuxiliaryAddresses ?? {},
  };
}

/**
 * A network as `GET /networks` shows it: what the allocator gave it, or before that what was asked for.
 * `Labels` and `Options` are null when empty, as Docker's are.
 */
export function networkToDocker(network: Network): object {
  const { spec } = network;
  const driver = network.driverState ?? spec?.driverConfig;
  const ipam = network.ipam ?? spec?.ipam;
  return {
    Name: spec?.annotations?.name ?? '',
    Id: network.id,
    Created: timeToDocker(network.meta?.createdAt),
    Scope: 'swarm',
    Driver: driver?.name ?? '',
    EnableIPv6: spec?.ipv6Enabled ?? false,
    IPAM: {
      Driver: ipam?.driver?.name ?? '',
      Options: ipamDriverOptions(ipam?.driver?.options),
      Config: ipam ? ipam.configs.map(ipamConfigToDocker) : null,
    },
    Internal: spec?.internal ?? false,
    Attachable: spec?.attachable ?? false,
    Ingress: spec?.ingress ?? false,
    ConfigFrom: { Network: spec?.configFrom?.value ?? '' },
    ConfigOnly: false,
    Containers: null,
    Options: nonEmpty(driver?.options) ?? null,
    Labels: nonEmpty(labelsOf(network)) ?? null,
  };
}

/** Docker adds one of its own to those that were given. */
const ipamDriverOptions = (given: Readonly<Record<string, string>> | undefined): object | null =>
  given && Object.keys(given).length > 0 ? { ...given, 'com.docker.network.ipam.serial': 'true' } : null;

/** Docker has no word for a network that waits for a subnet: it is told as a label of ours. */
const labelsOf = ({ spec, waitsFor }: Network): Readonly<Record<string, string>> => ({
  ...spec?.annotations?.labels,
  ...(waitsFor !== '' && { 'swarmd.waits-for': waitsFor }),
});

const ipamConfigToDocker = (proto: IPAMConfig): object => ({
  Subnet: nonEmpty(proto.subnet),
  IPRange: nonEmpty(proto.range),
  Gateway: nonEmpty(proto.gateway),
  AuxiliaryAddresses: nonEmpty(proto.reserved),
});

/** A network as it stands inside a task: swarm's own form, not that of `GET /networks`. */
export const networkOfTaskToDocker = (network: Network): object => ({
  ID: nonEmpty(network.id),
  ...metaToDocker(network.meta),
  Spec: network.spec ? networkSpecToDocker(network.spec, network.ipam?.configs ?? []) : {},
  DriverState: network.driverState ? driverToDocker(network.driverState) : {},
  IPAMOptions: network.ipam && ipamOptionsToDocker(network.ipam),
});

/** @param allocated what became of the subnets asked for: as Docker does, it is shown in their place */
const networkSpecToDocker = (spec: NetworkSpec, allocated: readonly IPAMConfig[]): object => ({
  ...annotationsToDocker(spec.annotations),
  DriverConfiguration: spec.driverConfig && driverToDocker(spec.driverConfig),
  IPv6Enabled: nonEmpty(spec.ipv6Enabled),
  Internal: nonEmpty(spec.internal),
  Attachable: nonEmpty(spec.attachable),
  Ingress: nonEmpty(spec.ingress),
  IPAMOptions:
    spec.ipam &&
    ipamOptionsToDocker({ ...spec.ipam, configs: spec.ipam.configs.map((config, i) => allocated[i] ?? config) }),
  ConfigFrom: spec.configFrom && { Network: spec.configFrom.value },
  Scope: 'swarm',
});

const ipamOptionsToDocker = (proto: IPAMOptions): object => ({
  Driver: proto.driver ? driverToDocker(proto.driver) : {},
  Configs: nonEmpty(
    proto.configs.map((config) => ({
      Subnet: nonEmpty(config.subnet),
      Range: nonEmpty(config.range),
      Gateway: nonEmpty(config.gateway),
    })),
  ),
});

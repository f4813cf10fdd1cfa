/** Published ports and addresses. */
import {
  PortConfig_Protocol as Protocol,
  PortConfig_PublishMode as PublishMode,
  type PortConfig,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import {
  EndpointSpec_ResolutionMode as ResolutionMode,
  type EndpointSpec,
} from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { Endpoint } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { list, struct, text, uint32, type Decoded } from '../json/decoder.ts';
import { enumWords, nonEmpty } from './values.ts';

const protocols = enumWords<Protocol>(Protocol);
const publishModes = enumWords<PublishMode>(PublishMode);
const resolutionModes = enumWords<ResolutionMode>(ResolutionMode);

const portConfig = struct('swarm.PortConfig', {
  Name: text,
  Protocol: text,
  TargetPort: uint32,
  PublishedPort: uint32,
  PublishMode: text,
});

export const endpointSpec = struct('swarm.EndpointSpec', { Mode: text, Ports: list(portConfig) });

export const endpointSpecToProto = (docker: Decoded<typeof endpointSpec>): EndpointSpec => ({
  mode: resolutionModes.parse(docker.Mode, ResolutionMode.VIP, (word) => `invalid resolution mode: "${word}"`),
  ports: (docker.Ports ?? []).map((port) => ({
    name: port.Name ?? '',
    protocol: protocols.parse(
      port.Protocol?.toLowerCase(),
      Protocol.TCP,
      () => `invalid port protocol: "${port.Protocol}"`,
    ),
    targetPort: port.TargetPort ?? 0,
    publishedPort: port.PublishedPort ?? 0,
    publishMode: publishModes.parse(
      port.PublishMode?.toLowerCase(),
      PublishMode.INGRESS,
      () => `invalid publish mode: "${port.PublishMode}"`,
    ),
  })),
});

export const endpointSpecToDocker = (proto: EndpointSpec): object => ({
  Mode: resolutionModes.word(proto.mode),
  Ports: nonEmpty(proto.ports.map(portToDocker)),
});

export const portToDocker = (port: PortConfig): object => ({
  Name: nonEmpty(port.name),
  Protocol: protocols.word(port.protocol),
  TargetPort: nonEmpty(port.targetPort),
  PublishedPort: nonEmpty(port.publishedPort),
  PublishMode: publishModes.word(port.publishMode),
});

/**
 * As in Docker, the endpoint is empty, whatever was asked for, until it has a port or an address to hold; in networks it stays from then
 * on. Whether earlier specs gave it one is not kept: of a service that was changed it is taken for granted.
 */
export function endpointToDocker(
  proto: Endpoint | undefined,
  { hasNetworks, wasChanged }: { readonly hasNetworks: boolean; readonly wasChanged: boolean },
): object {
  const { spec, ports = [], virtualIps = [] } = proto ?? {};
  const isKept = hasNetworks && (wasChanged || spec?.mode !== ResolutionMode.DNSRR);
  const isUsed = isKept || ports.length > 0 || virtualIps.length > 0 || (spec?.ports ?? []).length > 0;
  return {
    Spec: spec && isUsed ? endpointSpecToDocker(spec) : {},
    Ports: nonEmpty(ports.map(portToDocker)),
    VirtualIPs: nonEmpty(virtualIps.map((vip) => ({ NetworkID: nonEmpty(vip.networkId), Addr: nonEmpty(vip.addr) }))),
  };
}

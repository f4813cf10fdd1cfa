/** What a service gets: numbers for its published ports and one virtual address per network. */
import { Endpoint, type Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { EndpointSpec_ResolutionMode } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  PortConfig_Protocol,
  PortConfig_PublishMode,
  type NetworkAttachmentConfig,
  type PortConfig,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { sameValue } from '../../common/same-value.ts';
import type { AddressBook } from './address-book.ts';
import { DYNAMIC_PORTS, type PortSpace } from './port-space.ts';
import { reconcilePorts } from './ports.ts';

export interface ServiceSurroundings {
  /** All published ports of the cluster; asked for only when a number must be chosen. */
  readonly ports: () => PortSpace;
  readonly addresses: AddressBook;
  /** Id of the ingress network, when it exists. */
  readonly ingressNetworkId: string | undefined;
  /** Whether a network has no addresses to give because it ends at each node. */
  readonly isNodeLocal: (networkId: string) => boolean;
  /** Why a network has no address to give. */
  readonly whyNoAddress: (networkId: string) => string;
}

/** The endpoint a service should have, or why it cannot have it now; undefined when it is as it should be. */
export type ServicePlan = { readonly endpoint: Endpoint } | { readonly waitsFor: string } | undefined;

/** Networks that the tasks of a service attach to: the task's list, or the deprecated one of the service. */
export const networksOf = (service: Service): readonly NetworkAttachmentConfig[] => {
  const ofTask = service.spec?.task?.networks ?? [];
  return ofTask.length > 0 ? ofTask : (service.spec?.networks ?? []);
};

/** Networks of a service that need addresses, ingress first if it publishes ports there. One may be named twice. */
export function networkIdsOf(service: Service, ingressNetworkId: string | undefined): readonly string[] {
  const publishes = (service.spec?.endpoint?.ports ?? []).some(isIngress);
  const ingress = publishes && ingressNetworkId !== undefined ? [ingressNetworkId] : [];
  const named = networksOf(service).map(({ target }) => target);
  return [...ingress, ...named.filter((id) => !ingress.includes(id))];
}

export function planService(service: Service, surroundings: ServiceSurroundings): ServicePlan {
  const ports = planPorts(service, surroundings);
  if (typeof ports === 'string') return { waitsFor: ports };
  const virtualIps = planVirtualIps(service, surroundings);
  if (typeof virtualIps === 'string') return { waitsFor: virtualIps };
  const endpoint = Endpoint.fromPartial({ spec: service.spec?.endpoint, ports, virtualIps });
  return service.endpoint && sameValue(endpoint, service.endpoint) ? undefined : { endpoint };
}

function planPorts(service: Service, { ports }: ServiceSurroundings): readonly PortConfig[] | string {
  const planned: PortConfig[] = [];
  for (const port of reconcilePorts(service.spec?.endpoint?.ports, service.endpoint?.ports)) {
    if (!isIngress(port) || port.publishedPort !== 0) {
      planned.push(port);
      continue;
    }
    const publishedPort = ports().takeDynamic(port.protocol);
    if (publishedPort === undefined) {
      return `no free port for port ${port.targetPort}/${protocolName(port.protocol)} between ${DYNAMIC_PORTS.first} and ${DYNAMIC_PORTS.last}: publish it under a fixed number or remove another published port`;
    }
    planned.push({ ...port, publishedPort });
  }
  return planned;
}

/** Keeps the addresses the service has in networks it still uses; those it has no more are freed when the change is noted. */
function planVirtualIps(
  service: Service,
  { addresses, ingressNetworkId, isNodeLocal, whyNoAddress }: ServiceSurroundings,
): Endpoint['virtualIps'] | string {
  if (service.spec?.endpoint?.mode === EndpointSpec_ResolutionMode.DNSRR) return [];
  const held = [...(service.endpoint?.virtualIps ?? [])];
  const planned: Endpoint['virtualIps'][number][] = [];
  const taken: Endpoint['virtualIps'][number][] = [];
  for (const networkId of networkIdsOf(service, ingressNetworkId)) {
    if (isNodeLocal(networkId)) {
      // Named without an address, as Docker does.
      planned.push({ networkId, addr: '' });
      continue;
    }
    const at = held.findIndex((vip) => vip.networkId === networkId);
    const [present] = at < 0 ? [] : held.splice(at, 1);
    const addr = present ? present.addr : addresses.take(networkId);
    if (addr === undefined) {
      for (const vip of taken) addresses.release(vip.networkId, vip.addr);
      return whyNoAddress(networkId);
    }
    const vip = present ?? { networkId, addr };
    if (!present) taken.push(vip);
    planned.push(vip);
  }
  return planned;
}

const isIngress = (port: PortConfig): boolean => port.publishMode === PortConfig_PublishMode.INGRESS;

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [PortConfig_Protocol.TCP]: 'tcp',
  [PortConfig_Protocol.UDP]: 'udp',
  [PortConfig_Protocol.SCTP]: 'sctp',
};
const protocolName = (protocol: PortConfig_Protocol): string => PROTOCOL_NAMES[protocol] ?? String(protocol);

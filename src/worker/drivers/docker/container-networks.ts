/** The networks of a task as the engine is asked for them. Pure. */
import type { EndpointSettings, HostConfig } from 'dockerode';
import type { NetworkAttachment, Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { attachmentsInUse, hardwareAddress, isOverlay } from '../../network/overlay.ts';

/** Networks every engine has; it takes no settings in them. */
const OWN_NETWORKS: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

export interface ContainerEndpoint {
  /** Name of the network on the engine. */
  readonly network: string;
  readonly settings?: EndpointSettings;
}

/** In the order of the task; the engine takes the first at creation and the others afterwards. */
export const endpointsOf = (task: Task): readonly ContainerEndpoint[] =>
  attachmentsInUse(task.networks).flatMap(endpointOf);

function endpointOf(attachment: NetworkAttachment): readonly ContainerEndpoint[] {
  const { network, addresses, aliases } = attachment;
  // There is no routing mesh on such an engine.
  if (!network || network.spec?.ingress) return [];
  if (isOverlay(attachment)) {
    const address = addresses[0]?.split('/')[0] ?? '';
    const settings = { IPAMConfig: { IPv4Address: address }, MacAddress: hardwareAddress(address) };
    return [{ network: network.spec?.annotations?.name ?? network.id, settings: settings as EndpointSettings }];
  }
  const driver = network.driverState?.name ?? '';
  if (OWN_NETWORKS.has(driver)) return [{ network: driver }];
  // Made by hand on every node, as networks with a driver of the machine are.
  const name = network.spec?.annotations?.name || driver;
  return [{ network: name, settings: { Aliases: [...aliases] } as EndpointSettings }];
}

/**
 * Servers for names: a task on overlay networks asks ours first, which answers for all of its networks, then those it was
 * given or those of the machine.
 */
export function nameServers(task: Task, spec: ContainerSpec, upstream: readonly string[]): Pick<HostConfig, 'Dns'> {
  const asked = spec.dnsConfig?.nameservers ?? [];
  const gateway = task.networks.find(isOverlay)?.network?.ipam?.configs[0]?.gateway;
  if (gateway === undefined) return asked.length > 0 ? { Dns: [...asked] } : {};
  return { Dns: [gateway, ...(asked.length > 0 ? asked : upstream)] };
}

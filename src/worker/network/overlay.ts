/** What a task's attachment to a network of the swarm says. */
import type { Network, NetworkAttachment } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

const DRIVER = 'overlay';
const VXLAN_OPTION = 'com.docker.network.driver.overlay.vxlanid_list';
const MTU_OPTION = 'com.docker.network.driver.mtu';
/** Room for the outer headers in frames of 1500 bytes, as Docker's overlay driver leaves it. */
const DEFAULT_MTU = '1450';

/** Whether the attachment is to a network that spans nodes and belongs to users. The routing mesh is a thing of its own. */
export const isOverlay = ({ network, addresses }: NetworkAttachment): boolean =>
  network?.driverState?.name === DRIVER && network.spec?.ingress !== true && addresses.length > 0;

/**
 * The attachments a container has of a task's. A network named twice gives a task two addresses, but an engine puts a
 * container into it once: the last one counts, as in Docker.
 */
export const attachmentsInUse = (networks: readonly NetworkAttachment[]): readonly NetworkAttachment[] =>
  networks.filter(({ network }, at) => at === networks.findLastIndex((other) => other.network?.id === network?.id));

export const mtuOf = ({ spec }: Network): string => spec?.driverConfig?.options[MTU_OPTION] ?? DEFAULT_MTU;

export const isEncrypted = ({ driverState }: Network): boolean =>
  driverState !== undefined && 'encrypted' in driverState.options;

/** VXLAN id of the network: it has one for each subnet, and the first is enough where all are on one bridge. */
export const vxlanIdOf = ({ driverState }: Network): number =>
  Number((driverState?.options[VXLAN_OPTION] ?? '0').split(',')[0]);

/** The hardware address Docker gives an endpoint with this IPv4 address. */
export const hardwareAddress = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');

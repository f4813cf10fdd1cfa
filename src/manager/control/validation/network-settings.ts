/** Where overlay networks get their addresses from and which port they use; fixed when the cluster is made. */
import type { Cluster } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import { clusterDefaults } from '../../../common/cluster-defaults.ts';
import { parseIpNetwork } from '../../placement/ip-network.ts';
import { invalid } from './refusal.ts';

export interface NetworkSettings {
  /** CIDRs that overlay networks are cut from. @default 10.0.0.0/8 */
  readonly addressPool?: readonly string[] | undefined;
  /** Prefix length of each network cut from the pool. @default 24 */
  readonly subnetSize?: number | undefined;
  /** UDP port of overlay traffic. @default 4789 */
  readonly dataPathPort?: number | undefined;
}

/** Smaller networks have no room for a gateway, a virtual address and a task. */
const MAX_SUBNET_SIZE = 29;
const DATA_PATH_PORTS = { first: 1_024, last: 49_151 } as const;

/** The settings with defaults filled in; no pool stands for Docker's, as Docker shows it. Throws invalidArgument naming the one that is wrong. */
export function validNetworkSettings(
  given: NetworkSettings,
): Pick<Cluster, 'defaultAddressPool' | 'subnetSize' | 'VXLANUDPPort'> {
  const pool = given.addressPool ?? [];
  const subnetSize = given.subnetSize || clusterDefaults.subnetSize;
  const port = given.dataPathPort || clusterDefaults.dataPathPort;
  if (subnetSize > MAX_SUBNET_SIZE) {
    throw invalid(`subnet size is out of range: ${subnetSize}: use at most ${MAX_SUBNET_SIZE}`);
  }
  for (const text of pool) {
    const network = parseIpNetwork(text);
    if (network?.address.family !== 4) {
      throw invalid(`invalid base pool ${text}: invalid CIDR address: ${text}: use IPv4 networks such as 10.0.0.0/8`);
    }
    if (network.prefixLength > subnetSize) {
      throw invalid(`invalid CIDR: "${text}". Subnet size is too small for pool: ${subnetSize}`);
    }
  }
  if (port < DATA_PATH_PORTS.first || port > DATA_PATH_PORTS.last) {
    throw invalid(
      `invalid data path port ${port}: must be between ${DATA_PATH_PORTS.first} and ${DATA_PATH_PORTS.last}`,
    );
  }
  return { defaultAddressPool: [...pool], subnetSize, VXLANUDPPort: port };
}

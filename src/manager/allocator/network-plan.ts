/** Gives a network what the engines need to build it: subnets with a gateway, and a number on the wire (VXLAN id) for each. */
import type { Cluster, Network } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { IPAMConfig, IPAMConfig_AddressFamily } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isNodeLocal } from '../placement/node-local-network.ts';
import { formatIpv4, formatSubnet, freeSubnet, parseSubnet, type Subnet } from './address-space.ts';

const VXLAN_OPTION = 'com.docker.network.driver.overlay.vxlanid_list';
const LARGEST_VXLAN_ID = 2 ** 24 - 1;
/** Ids for networks that ask for none; Docker begins here, too. */
const VXLAN_IDS: IdRange = { first: 4_096, last: LARGEST_VXLAN_ID };

interface IdRange {
  readonly first: number;
  readonly last: number;
}

/** A network with everything filled in, or why that is not possible now. */
export type NetworkPlan = { readonly network: Network } | { readonly waitsFor: string };

export const isNetworkAllocated = (network: Network): boolean =>
  network.driverState !== undefined && network.ipam !== undefined;

/** Subnets of a network, whether chosen for it or asked for. */
function subnetsOf(network: Network): readonly Subnet[] {
  const configs = (network.ipam ?? network.spec?.ipam)?.configs ?? [];
  return configs.map(({ subnet }) => parseSubnet(subnet)).filter((subnet) => subnet !== undefined);
}

/** VXLAN ids of an allocated network. */
const vxlanIdsOf = (network: Network): readonly number[] => idsIn(network.driverState?.options[VXLAN_OPTION]);

const idsIn = (list = ''): readonly number[] => (list === '' ? [] : list.split(',').map(Number));

/** Pure: the same state always gives the same plan. */
export function planNetwork(
  network: Network,
  others: readonly Network[],
  pools: Pick<Cluster, 'defaultAddressPool' | 'subnetSize'>,
  vxlanIds = VXLAN_IDS,
): NetworkPlan {
  if (isNodeLocal(network)) {
    const driverState = { name: network.spec?.driverConfig?.name ?? '', options: {} };
    return { network: { ...network, driverState, ipam: { driver: undefined, configs: [] } } };
  }
  const taken = others.filter((other) => other.id !== network.id).flatMap(subnetsOf);
  const configs = (network.spec?.ipam?.configs ?? []).map(withGateway);
  if (!configs.some(({ subnet }) => parseSubnet(subnet))) {
    const subnet = subnetFromPools(pools, taken);
    if (!subnet) {
      return {
        waitsFor: `no free subnet of size /${pools.subnetSize} in the default address pool ${pools.defaultAddressPool.join(', ')}: remove a network or give this one a subnet`,
      };
    }
    configs.push(
      withGateway(IPAMConfig.fromPartial({ family: IPAMConfig_AddressFamily.IPV4, subnet: formatSubnet(subnet) })),
    );
  }
  const asked = askedVxlanIds(network);
  for (const other of others) {
    const id = other.id === network.id ? undefined : vxlanIdsOf(other).find((each) => asked.includes(each));
    if (id === undefined) continue;
    return {
      waitsFor: `VXLAN id ${id} is that of network ${other.spec?.annotations?.name ?? other.id}: remove that network, or ask for another id`,
    };
  }
  // Engines want one for each subnet.
  const count = configs.filter(({ subnet }) => parseSubnet(subnet)).length;
  const ids = [...asked.slice(0, count), ...freeVxlanIds(count - asked.length, others, asked, vxlanIds)];
  if (ids.length < count) {
    return { waitsFor: `no free VXLAN id from ${vxlanIds.first} to ${vxlanIds.last}: remove a network` };
  }
  return {
    network: {
      ...network,
      driverState: { name: 'overlay', options: driverOptions(network, ids) },
      ipam: { driver: { name: 'default', options: network.spec?.ipam?.driver?.options ?? {} }, configs },
    },
  };
}

function subnetFromPools(
  { defaultAddressPool, subnetSize }: Pick<Cluster, 'defaultAddressPool' | 'subnetSize'>,
  taken: readonly Subnet[],
): Subnet | undefined {
  for (const text of defaultAddressPool) {
    const pool = parseSubnet(text);
    const subnet = pool && freeSubnet(pool, subnetSize, taken);
    if (subnet) return subnet;
  }
  return undefined;
}

/** The gateway is the first address of the range (as in Docker, also its very base) that nobody reserved, unless one was given. */
function withGateway(config: IPAMConfig): IPAMConfig {
  const subnet = parseSubnet(config.subnet);
  if (config.gateway !== '' || !subnet) return config;
  const range = parseSubnet(config.range) ?? subnet;
  const reserved = new Set(Object.values(config.reserved));
  let address = Math.max(range.base, subnet.base + 1);
  while (reserved.has(formatIpv4(address))) address++;
  return { ...config, gateway: formatIpv4(address) };
}

/** The ids that were asked for. */
const askedVxlanIds = ({ spec }: Network): readonly number[] =>
  idsIn(spec?.driverConfig?.options[VXLAN_OPTION]).filter(
    (id) => Number.isInteger(id) && id > 0 && id <= LARGEST_VXLAN_ID,
  );

/** As many of the wanted number as there are. */
function freeVxlanIds(
  count: number,
  networks: readonly Network[],
  asked: readonly number[],
  { first, last }: IdRange,
): readonly number[] {
  const taken = new Set([...networks.flatMap(vxlanIdsOf), ...asked]);
  const free: number[] = [];
  for (let id = first; id <= last && free.length < count; id++) if (!taken.has(id)) free.push(id);
  return free;
}

function driverOptions(network: Network, ids: readonly number[]): Record<string, string> {
  return { ...network.spec?.driverConfig?.options, [VXLAN_OPTION]: ids.join(',') };
}

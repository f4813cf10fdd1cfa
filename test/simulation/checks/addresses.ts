/** Invariant 41: no address, virtual address or published port is held twice, and each is in its network's subnet. */
import type { Change } from '../../../src/manager/store/change.ts';
import { KINDS } from '../../../src/manager/store/objects.ts';
import { networkHas, parseIpAddress, parseIpNetwork } from '../../../src/manager/placement/ip-network.ts';
import type { Network, Node, Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { PortConfig_PublishMode } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Check, Violate } from './check.ts';
import type { World } from './world.ts';

/** Something only one object may hold, by name. */
type Claim = string;

export class Addresses implements Check {
  readonly #violate: Violate;
  readonly #holders = new Map<Claim, string>();

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    // What is given up and taken in one transaction only changes hands.
    for (const change of changes)
      if (change.old) for (const claim of claimsOf(change, change.old)) this.#release(claim, change);
    for (const change of changes) {
      if (change.action === 'delete') continue;
      for (const claim of claimsOf(change, change.object)) this.#take(claim, ownerOf(change), world);
    }
  }

  #release(claim: Claim, change: Change): void {
    if (this.#holders.get(claim) === ownerOf(change)) this.#holders.delete(claim);
  }

  #take(claim: Claim, owner: string, world: World): void {
    const holder = this.#holders.get(claim);
    if (holder !== undefined && holder !== owner)
      this.#violate(41, `${claim.replace('\0', ' ')} is held by ${holder} and by ${owner}`);
    this.#holders.set(claim, owner);
    const [networkId = '', address] = claim.split('\0');
    const network = address === undefined ? undefined : world.tables.network.get(networkId);
    if (network && address !== undefined && !isInside(network, address))
      this.#violate(41, `${owner} holds ${address}, which is not in network ${networkId}`);
  }
}

const ownerOf = ({ kind, object }: Change): string => `${kind} ${object.id}`;

function claimsOf({ kind }: Change, object: Change['object']): readonly Claim[] {
  switch (kind) {
    case 'task':
      return KINDS.task.indexes.address(object as Task);
    case 'node':
      return KINDS.node.indexes.address(object as Node);
    case 'service':
      return [...KINDS.service.indexes.address(object as Service), ...portsOf(object as Service)];
    case 'network':
      return ((object as Network).ipam?.configs ?? [])
        .filter(({ subnet }) => subnet !== '')
        .map(({ subnet }) => `subnet ${subnet}`);
    default:
      return [];
  }
}

/** Ports of the mesh; those of hosts are a matter of placement. */
const portsOf = (service: Service): readonly Claim[] =>
  (service.endpoint?.ports ?? [])
    .filter(({ publishMode, publishedPort }) => publishMode === PortConfig_PublishMode.INGRESS && publishedPort !== 0)
    .map(({ protocol, publishedPort }) => `ingress port ${publishedPort}/${protocol}`);

const isInside = ({ ipam }: Network, address: string): boolean =>
  (ipam?.configs ?? []).some(({ subnet }) => {
    const parsed = parseIpNetwork(subnet);
    const own = parseIpAddress(address);
    return parsed !== undefined && own !== undefined && networkHas(parsed, own);
  });

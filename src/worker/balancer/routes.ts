/**
 * What this node leads where: every published port, and every virtual address of a service, with the running tasks behind
 * it. Pure: the ruleset and the tests look at this alone.
 *
 * A connection to a published port takes at most two steps: the node it comes to chooses among all running tasks; when the
 * task is elsewhere it goes to the same port of that node, which chooses among its own tasks only.
 */
import type { NetworkPeer } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  PortConfig_Protocol as Protocol,
  PortConfig_PublishMode as PublishMode,
  TaskState,
  type PortConfig,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** A running task of this node. */
export interface OwnTask {
  readonly task: Task;
  /** Where its ports are, seen from this host; undefined when it listens on the host itself. */
  readonly address: string | undefined;
}

/** Where a connection is sent. Without an address: to this host itself; without a port: to the one it asked for. */
export interface Backend {
  readonly address?: string;
  readonly port?: number;
}

/** A port that is published on every node. */
export interface PortRoute {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
  readonly everywhere: readonly Backend[];
  /** For connections that another node sent on. */
  readonly here: readonly Backend[];
}

/** A virtual address of a service in one overlay network. */
export interface AddressRoute {
  readonly address: string;
  readonly backends: readonly Backend[];
}

export interface Routes {
  readonly ports: readonly PortRoute[];
  readonly addresses: readonly AddressRoute[];
  /** Addresses of the other nodes with tasks behind published ports. */
  readonly nodes: readonly string[];
  /** Addresses of this node's tasks, where they have some of their own. */
  readonly ownAddresses: readonly string[];
}

const PROTOCOLS: Readonly<Record<number, PortRoute['protocol']>> = {
  [Protocol.TCP]: 'tcp',
  [Protocol.UDP]: 'udp',
  [Protocol.SCTP]: 'sctp',
};

/** @param isElsewhere whether an address is that of another host */
export function routesOf(
  own: Iterable<OwnTask>,
  peers: Iterable<NetworkPeer>,
  isElsewhere: (address: string) => boolean,
): Routes {
  const ports = new Map<string, { readonly port: PortConfig; everywhere: Backend[]; here: Backend[] }>();
  const addresses = new Map<string, Backend[]>();
  const [nodes, ownAddresses] = [new Set<string>(), new Set<string>()];
  const routeFor = (port: PortConfig) => {
    const key = `${port.protocol}/${port.publishedPort}`;
    let route = ports.get(key);
    if (!route) ports.set(key, (route = { port, everywhere: [], here: [] }));
    return route;
  };
  const addVirtual = (task: Task): void => {
    for (const { virtual, real } of virtualAddresses(task)) {
      const backends = addresses.get(virtual) ?? [];
      addresses.set(virtual, [...backends, { address: real }]);
    }
  };
  for (const { task, address } of own) {
    addVirtual(task);
    for (const { real } of virtualAddresses(task)) ownAddresses.add(real);
    for (const port of meshPorts(task)) {
      const route = routeFor(port);
      const backend = { ...(address !== undefined && { address }), port: port.targetPort };
      route.everywhere.push(backend);
      route.here.push(backend);
      if (address !== undefined) ownAddresses.add(address);
    }
  }
  for (const { task, nodeAddr } of peers) {
    if (!task || !isServing(task)) continue;
    addVirtual(task);
    if (!isElsewhere(nodeAddr)) continue;
    for (const port of meshPorts(task)) {
      nodes.add(nodeAddr);
      routeFor(port).everywhere.push({ address: nodeAddr, port: port.publishedPort });
    }
  }
  return {
    ports: [...ports.values()].flatMap(({ port, everywhere, here }) => {
      const protocol = PROTOCOLS[port.protocol];
      return protocol ? [{ protocol, port: port.publishedPort, everywhere, here }] : [];
    }),
    addresses: [...addresses].map(([address, backends]) => ({ address, backends })),
    nodes: [...nodes],
    ownAddresses: [...ownAddresses],
  };
}

/** Whether others may be sent to a task, as far as its states tell. */
export const isServing = ({ status, desiredState }: Task): boolean =>
  status?.state === TaskState.RUNNING && desiredState <= TaskState.RUNNING;

const meshPorts = ({ endpoint }: Task): readonly PortConfig[] =>
  (endpoint?.ports ?? []).filter((port) => port.publishMode === PublishMode.INGRESS && port.publishedPort !== 0);

/** The virtual addresses a task stands behind, each with its own address in that network. The mesh is a thing of its own. */
function virtualAddresses(task: Task): readonly { readonly virtual: string; readonly real: string }[] {
  return (task.endpoint?.virtualIps ?? []).flatMap(({ networkId, addr }) => {
    const place = task.networks.findLast(({ network }) => network?.id === networkId && !network.spec?.ingress);
    const real = place?.addresses[0];
    return real === undefined || addr === '' ? [] : [{ virtual: bare(addr), real: bare(real) }];
  });
}

const bare = (address: string): string => address.split('/')[0] ?? '';

/** What one task takes from a node. Only reservations count; limits do not. */
import { genericPoolOf, NO_GENERIC, type GenericPool } from '../placement/generic-resource.ts';
import { PortConfig_PublishMode, type PortConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

export interface Demand {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** A wish: numbers only, see generic-resource.ts. */
  readonly generic: GenericPool;
  /** Published host-mode ports as "80/tcp"; ports the engine chooses are not listed. */
  readonly hostPorts: readonly string[];
}

const NO_PORTS: readonly string[] = [];
const NOTHING: Demand = { nanoCpus: 0, memoryBytes: 0, generic: NO_GENERIC, hostPorts: NO_PORTS };

export function demandOf(task: Task): Demand {
  const reserved = task.spec?.resources?.reservations;
  const hostPorts = hostPortsOf(task.endpoint?.ports ?? []);
  if (!reserved) return hostPorts.length === 0 ? NOTHING : { ...NOTHING, hostPorts };
  return {
    nanoCpus: reserved.nanoCpus,
    memoryBytes: reserved.memoryBytes,
    generic: genericPoolOf(reserved.generic),
    hostPorts,
  };
}

/** A port as a node can hold it only once. */
const portKey = (port: Pick<PortConfig, 'protocol' | 'publishedPort'>): string =>
  `${port.publishedPort}/${PROTOCOL[port.protocol] ?? 'tcp'}`;

const PROTOCOL: Readonly<Record<number, string>> = { 0: 'tcp', 1: 'udp', 2: 'sctp' };

function hostPortsOf(ports: readonly PortConfig[]): readonly string[] {
  if (ports.length === 0) return NO_PORTS;
  return ports
    .filter((port) => port.publishMode === PortConfig_PublishMode.HOST && port.publishedPort !== 0)
    .map(portKey);
}

/**
 * How the agent reaches a manager. The daemon gives a connector that speaks mutual TLS with the node's identity; tests
 * give one that speaks plain text on loopback.
 */
import type { DispatcherClient } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { LogBrokerClient } from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { ResourceAllocatorClient } from '../proto/generated/docker/swarmkit/v1/resource.ts';
import type { UsageClient } from '../proto/generated/docker/swarmkit/v1/usage.ts';

/** One connection; all clients share it. */
export interface ManagerConnection {
  readonly dispatcher: DispatcherClient;
  readonly logBroker: LogBrokerClient;
  /** Gives containers started by hand a place in networks of the swarm. */
  readonly resources: ResourceAllocatorClient;
  /** Managers of Docker do not have it, and never ask for it. */
  readonly usage: UsageClient;
  /** Closes the connection; calls under way end with an error. */
  close(): void;
}

export interface ManagerConnector {
  /** Opens a connection to "host:port" with the credentials valid now; connecting itself may happen at the first call. */
  open(address: string): ManagerConnection;
}

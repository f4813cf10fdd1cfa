/** The agent's way to managers: mutual TLS with the node's identity, one connection for all clients. */
import { Channel, type ChannelCredentials, type ClientOptions } from '@grpc/grpc-js';
import { managerChannelOptions, memberCredentials } from '../identity/client-credentials.ts';
import type { NodeIdentity } from '../identity/node-identity.ts';
import { DispatcherClient } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { LogBrokerClient } from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import { ResourceAllocatorClient } from '../proto/generated/docker/swarmkit/v1/resource.ts';
import { UsageClient } from '../proto/generated/docker/swarmkit/v1/usage.ts';
import type { ManagerConnection, ManagerConnector } from '../worker/manager-connector.ts';

/** @param wayTo where to connect to for the manager at an address, "host:port" both */
export const tlsConnector = (
  identity: NodeIdentity,
  wayTo: (address: string) => string = (address) => address,
): ManagerConnector => ({
  open: (manager) => {
    const address = wayTo(manager);
    const credentials = memberCredentials(identity.current);
    const channelOverride = new Channel(address, credentials, managerChannelOptions);
    return clientsOf(address, credentials, { ...managerChannelOptions, channelOverride });
  },
});

/** All clients on one channel. */
export const clientsOf = (
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions & Required<Pick<ClientOptions, 'channelOverride'>>,
): ManagerConnection => ({
  dispatcher: new DispatcherClient(address, credentials, options),
  logBroker: new LogBrokerClient(address, credentials, options),
  resources: new ResourceAllocatorClient(address, credentials, options),
  usage: new UsageClient(address, credentials, options),
  close: () => options.channelOverride.close(),
});

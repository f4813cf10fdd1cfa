/** The agent's way to managers on loopback, in plain text; as with TLS, one connection for all clients. */
import { Channel, credentials, type Interceptor } from '@grpc/grpc-js';
import { DispatcherClient } from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { LogBrokerClient } from '../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { ResourceAllocatorClient } from '../../src/proto/generated/docker/swarmkit/v1/resource.ts';
import { UsageClient } from '../../src/proto/generated/docker/swarmkit/v1/usage.ts';
import type { ManagerConnector } from '../../src/worker/manager-connector.ts';

const OWN_CONNECTION = { 'grpc.use_local_subchannel_pool': 1 };

export const plainConnector = (...interceptors: Interceptor[]): ManagerConnector => ({
  open: (address) => {
    const plain = credentials.createInsecure();
    const channelOverride = new Channel(address, plain, OWN_CONNECTION);
    const options = { ...OWN_CONNECTION, channelOverride, interceptors };
    return {
      dispatcher: new DispatcherClient(address, plain, options),
      logBroker: new LogBrokerClient(address, plain, options),
      resources: new ResourceAllocatorClient(address, plain, options),
      usage: new UsageClient(address, plain, options),
      close: () => channelOverride.close(),
    };
  },
});

/** A leading dispatcher over a real gRPC server and a store that commits by itself. */
import { systemClock, type Clock } from '../../src/common/clock.ts';
import { countingIds } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import type { LeaderAddress } from '../../src/manager/dispatcher/options.ts';
import type { DispatcherSettings } from '../../src/manager/dispatcher/settings.ts';
import { UsageBook } from '../../src/manager/usage/usage-book.ts';
import { UsageService } from '../../src/proto/generated/docker/swarmkit/v1/usage.ts';
import { DispatcherService } from '../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import {
  Cluster,
  Node,
  Secret,
  Task,
  type Node as NodeObject,
} from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { ContainerSpec, TaskSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  ConfigReference,
  EncryptionKey,
  NodeStatus_State as NodeState,
  SecretReference,
  TaskState,
  WeightedPeer,
  type WeightedPeer as Peer,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { FakeAgent } from './fake-agent.ts';
import { localStore, type LocalStore } from './local-store.ts';
import { rpcRig, type RpcRig } from './rpc-rig.ts';

export interface DispatcherRig extends LocalStore {
  readonly rpc: RpcRig;
  readonly dispatcher: Dispatcher;
  readonly agent: (nodeId: string) => FakeAgent;
  readonly addNode: (id: string, state?: NodeState) => Promise<void>;
  readonly node: (id: string) => NodeObject;
  readonly setManagers: (managers: readonly Peer[]) => void;
  /** Who leads while this manager does not. */
  readonly setLeader: (leader: LeaderAddress) => void;
  /** What confirms leadership from now on. */
  readonly usage: UsageBook;
  readonly setBarrier: (barrier: () => Promise<void>) => void;
  /** Begins a term; returns how to end it. */
  readonly lead: () => () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const aPeer = (addr: string, nodeId = addr): Peer =>
  WeightedPeer.fromPartial({ peer: { nodeId, addr }, weight: 10 });

export async function dispatcherRig(
  settings: Partial<DispatcherSettings> = {},
  clock: Clock = systemClock,
): Promise<DispatcherRig> {
  const local = localStore(clock);
  const { store } = local;
  const rpc = await rpcRig();
  let managers: readonly Peer[] = [aPeer('10.0.0.1:2377', 'm1')];
  const listeners = new Set<() => void>();
  let leader: LeaderAddress = { nodeId: 'm2', address: '10.0.0.2:2377' };
  let barrier = async (): Promise<void> => undefined;
  const usage = new UsageBook({ store, clock, leader: () => undefined });
  const dispatcher = new Dispatcher({
    store,
    clock,
    random: () => 0.5,
    newId: countingIds('session'),
    log: silentLogger,
    nodeId: 'm1',
    managers: {
      current: () => managers,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    usage,
    confirmLeadership: () => barrier(),
    leader: () => leader,
    settings,
  });
  rpc.add(DispatcherService, dispatcher.methods);
  rpc.add(UsageService, usage.methods);
  await store.update((tx) =>
    tx.cluster.create({
      ...Cluster.fromPartial({
        id: 'cluster',
        spec: { annotations: { name: 'default' }, dispatcher: { heartbeatPeriod: { seconds: 5 } } },
        rootCa: { caCert: Buffer.from('root') },
      }),
      networkBootstrapKeys: [EncryptionKey.fromPartial({ subsystem: 'networking:gossip', key: Buffer.from('gossip') })],
    }),
  );
  const ends = new Set<() => Promise<void>>();
  const lead = (): (() => Promise<void>) => {
    const stop = new AbortController();
    const running = dispatcher.run(stop.signal);
    leader = { nodeId: 'm1', address: '10.0.0.1:2377' };
    const end = async (): Promise<void> => {
      ends.delete(end);
      stop.abort();
      await running;
    };
    ends.add(end);
    return end;
  };
  const rig = Object.assign(local, {
    rpc,
    dispatcher,
    usage,
    lead,
    agent: (nodeId: string) => new FakeAgent(rpc, nodeId),
    addNode: (id: string, state: NodeState = NodeState.UNKNOWN) =>
      store.update((tx) => tx.node.create(Node.fromPartial({ id, spec: {}, status: { state } }))),
    node: (id: string) => store.read.node.get(id) as NodeObject,
    setManagers: (next: readonly Peer[]) => {
      managers = next;
      for (const listener of listeners) listener();
    },
    setLeader: (next: LeaderAddress) => {
      leader = next;
    },
    setBarrier: (next: () => Promise<void>) => {
      barrier = next;
    },
    close: async () => {
      for (const end of ends) await end();
      rpc.close();
    },
  });
  return rig;
}

/** A task placed on a node, with secrets and configs by id. */
export const aTask = (
  id: string,
  nodeId: string,
  more: { readonly state?: TaskState; readonly secrets?: readonly string[]; readonly configs?: readonly string[] } = {},
): Task => ({
  ...Task.fromPartial({
    id,
    nodeId,
    serviceId: 'service',
    slot: 1,
    status: { state: more.state ?? TaskState.ASSIGNED },
    desiredState: TaskState.RUNNING,
  }),
  spec: {
    ...TaskSpec.fromPartial({}),
    runtime: {
      $case: 'container',
      value: {
        ...ContainerSpec.fromPartial({}),
        secrets: (more.secrets ?? []).map((secretId) =>
          SecretReference.fromPartial({ secretId, secretName: secretId }),
        ),
        configs: (more.configs ?? []).map((configId) =>
          ConfigReference.fromPartial({ configId, configName: configId }),
        ),
      },
    },
  },
});

export const aSecret = (id: string): Secret =>
  Secret.fromPartial({ id, spec: { annotations: { name: id }, data: Buffer.from(id) } });

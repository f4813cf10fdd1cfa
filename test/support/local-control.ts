/** The control service on a local store, with everything it needs from outside under the test's control. */
import { FakeClock } from '../../src/common/clock.ts';
import { countingIds } from '../../src/common/ids.ts';
import { newCluster } from '../../src/manager/control/bootstrap.ts';
import type { ControlService } from '../../src/manager/control/control.ts';
import type { ControlDependencies } from '../../src/manager/control/dependencies.ts';
import type { NetworkSettings } from '../../src/manager/control/validation/network-settings.ts';
import { localControl } from '../../src/manager/control/local-control.ts';
import { Node } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  ConfigSpec,
  NodeSpec_Membership,
  SecretSpec,
  ServiceSpec,
} from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeRole, NodeStatus_State } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore, type LocalStore } from './local-store.ts';

export interface TestControl extends LocalStore {
  readonly clock: FakeClock;
  readonly control: ControlService;
  /** Node ids of the raft members. */
  readonly raftMembers: Set<string>;
  /** Node ids of members without which the rest would have no majority. */
  readonly indispensable: Set<string>;
}

export const CLUSTER_ID = 'cluster1';

/** With the cluster object in the store. */
export async function testControl(overrides: Partial<ControlDependencies> = {}): Promise<TestControl> {
  const clock = new FakeClock();
  const local = localStore(clock);
  const raftMembers = new Set<string>();
  const indispensable = new Set<string>();
  let tokens = 0;
  const test = Object.assign(local, {
    clock,
    raftMembers,
    indispensable,
    control: undefined as unknown as ControlService,
  });
  test.control = localControl({
    store: local.store,
    clock,
    newId: countingIds('id'),
    members: { has: (id) => raftMembers.has(id), canRemove: (id) => !indispensable.has(id) },
    newJoinToken: () => `token${++tokens}`,
    newUnlockKey: () => Buffer.alloc(32, 7),
    reachAuthorities: () => Promise.resolve(),
    ...overrides,
  });
  await local.store.update((tx) => tx.cluster.create(aCluster()));
  return test;
}

export const aCluster = (settings: NetworkSettings = {}) =>
  newCluster({
    nowMs: 0,
    ...settings,
    clusterId: CLUSTER_ID,
    root: { certificate: 'the root certificate', key: 'the root key' },
    joinTokens: { worker: 'worker token', manager: 'manager token' },
    newUnlockKey: () => Buffer.alloc(32, 1),
    randomBytes: (count) => Buffer.alloc(count, 5),
  });

/** A replicated service that is valid as it stands; `changes` replace top-level members. */
export const aServiceSpec = (name = 'web', changes: Partial<ServiceSpec> = {}): ServiceSpec => ({
  ...ServiceSpec.fromPartial({
    annotations: { name },
    task: { runtime: { $case: 'container', value: { image: 'busybox' } } },
    mode: { $case: 'replicated', value: { replicas: 1 } },
  }),
  ...changes,
});

export const aSecretSpec = (name: string, data = 'secret'): SecretSpec =>
  SecretSpec.fromPartial({ annotations: { name }, data: Buffer.from(data) });

export const aConfigSpec = (name: string, data = 'config'): ConfigSpec =>
  ConfigSpec.fromPartial({ annotations: { name }, data: Buffer.from(data) });

/** A node that is ready. */
export const aNode = (
  id: string,
  role: NodeRole = NodeRole.WORKER,
  state: NodeStatus_State = NodeStatus_State.READY,
): Node =>
  Node.fromPartial({
    id,
    role,
    spec: { annotations: {}, desiredRole: role, membership: NodeSpec_Membership.ACCEPTED },
    status: { state, addr: '10.0.0.1' },
    description: { hostname: `host-${id}` },
  });

/** Addresses of nodes: only Docker Engines need them, and only in networks they have tasks on. */
import { describe, expect, it } from 'vitest';
import { AddressBook, nodeAddresses, nodeOwner } from '../../../../src/manager/allocator/address-book.ts';
import { NetworksInUse, planNode } from '../../../../src/manager/allocator/node-plan.ts';
import { withNewKeys } from '../../../../src/manager/overlay/network-keys.ts';
import { Cluster, Network, Node, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { IPAMConfig, NodeDescription, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';

const network = (id: string, subnet: string): Network => ({
  ...Network.fromPartial({ id, spec: { annotations: { name: id } }, driverState: { name: 'overlay' } }),
  ipam: {
    driver: undefined,
    configs: [IPAMConfig.fromPartial({ subnet, gateway: subnet.replace(/0\/\d+$/, '1') })],
  },
});
const NETWORKS = new Map([
  ['ingress', network('ingress', '10.0.0.0/24')],
  ['back', network('back', '10.0.1.0/24')],
  ['tiny', network('tiny', '10.0.2.0/30')],
]);

const engine = (id: string, ...runtimes: readonly string[]): Node => {
  const plugins = [{ type: 'Network', name: 'overlay' }, ...runtimes.map((name) => ({ type: 'Runtime', name }))];
  const engineDescription = { engineVersion: '20.10', labels: {}, plugins };
  return {
    ...Node.fromPartial({ id }),
    description: { ...NodeDescription.fromPartial({}), engine: engineDescription },
  };
};

function bookOf(): AddressBook {
  const addresses = new AddressBook();
  for (const known of NETWORKS.values()) addresses.addNetwork(known);
  return addresses;
}

const plan = (node: Node, addresses: AddressBook, ...used: readonly string[]) =>
  planNode(node, { addresses, used, ingressNetworkId: 'ingress', network: (id) => NETWORKS.get(id) });
const networksOf = (node: Node | undefined) => node?.attachments.map(({ network: on }) => on?.id);

describe('a node', () => {
  it('that is a Docker Engine gets an address on ingress and wherever its tasks are, and keeps it', () => {
    const addresses = bookOf();
    const { node } = plan(engine('n1'), addresses, 'back');
    expect(networksOf(node)).toEqual(['ingress', 'back']);
    expect(plan(node ?? engine('n1'), addresses, 'back').node).toBeUndefined();
  });

  it('loses the address with its last task on the network', () => {
    const addresses = bookOf();
    const { node } = plan(engine('n1'), addresses, 'back');
    expect(networksOf(plan(node ?? engine('n1'), addresses).node)).toEqual(['ingress']);
  });

  it('with an agent of ours needs none', () => {
    expect(plan(engine('n1', 'docker'), bookOf(), 'back').node).toBeUndefined();
  });

  it('says where there is no address left, and has the others all the same', () => {
    const addresses = bookOf();
    addresses.hold(nodeOwner({ id: 'other' }), [['tiny', '10.0.2.2/30']]);
    const { node, lacking } = plan(engine('n1'), addresses, 'tiny', 'back');
    expect(lacking).toEqual(['tiny']);
    expect(networksOf(node)).toEqual(['ingress', 'back']);
    expect(nodeAddresses(node ?? engine('n1')).map(([id]) => id)).toEqual(['ingress', 'back']);
  });
});

describe('networks in use on a node', () => {
  const task = (state: TaskState): Task => ({
    ...Task.fromPartial({ id: 't', nodeId: 'n1', status: { state } }),
    networks: [{ network: Network.fromPartial({ id: 'back' }), addresses: [], aliases: [], driverAttachmentOpts: {} }],
  });

  it('are those of tasks that were placed and have not ended', () => {
    const inUse = new NetworksInUse();
    expect(inUse.note(task(TaskState.PENDING))).toBeUndefined();
    expect(inUse.note(task(TaskState.ASSIGNED))).toBe('n1');
    expect(inUse.note(task(TaskState.RUNNING))).toBeUndefined();
    expect([...inUse.of('n1')]).toEqual(['back']);
    expect(inUse.note(task(TaskState.FAILED))).toBe('n1');
    expect([...inUse.of('n1')]).toEqual([]);
  });

  it('go with a task that is deleted', () => {
    const inUse = new NetworksInUse();
    inUse.note(task(TaskState.RUNNING));
    inUse.note(task(TaskState.RUNNING), true);
    expect([...inUse.of('n1')]).toEqual([]);
  });
});

describe('new network keys', () => {
  it('replace the oldest of each subsystem and are numbered on', () => {
    const keys = ['gossip', 'ipsec'].flatMap((subsystem, i) =>
      [1, 2, 3].map((n) => ({ subsystem, algorithm: 0 as const, key: Buffer.from([n]), lamportTime: i * 3 + n })),
    );
    const cluster = { ...Cluster.fromPartial({ encryptionKeyLamportClock: 6 }), networkBootstrapKeys: keys };
    const after = withNewKeys(cluster, (count) => Buffer.alloc(count, 9));
    expect(after.networkBootstrapKeys.map(({ lamportTime }) => lamportTime)).toEqual([2, 3, 7, 5, 6, 8]);
    expect(after.encryptionKeyLamportClock).toBe(8);
    expect(new Set(after.networkBootstrapKeys.map(({ key }) => key.length))).toEqual(new Set([1, 16]));
  });
});

import { expect, it, describe } from 'vitest';
import { NetworkPeer } from '../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { Network, NetworkAttachment, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  PortConfig_Protocol as Protocol,
  PortConfig_PublishMode as Mode,
  TaskState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { routesOf } from '../../../src/worker/balancer/routes.ts';
import { rulesetOf } from '../../../src/worker/balancer/ruleset.ts';

const isElsewhere = (address: string): boolean => address.startsWith('198.51.100.');

interface Given {
  readonly published?: number;
  readonly mode?: Mode;
  readonly address?: string;
  readonly state?: TaskState;
  readonly desiredState?: TaskState;
}

/** A task behind port 8080 of every node and, with an address, behind a virtual one. */
const task = (id: string, { published = 8080, mode = Mode.INGRESS, address, ...states }: Given = {}): Task => {
  const { state = TaskState.RUNNING, desiredState = TaskState.RUNNING } = states;
  const ports = [{ protocol: Protocol.TCP, publishedPort: published, targetPort: 80, publishMode: mode, name: '' }];
  const network = Network.fromPartial({ id: 'back' });
  return {
    ...Task.fromPartial({ id, status: { state }, desiredState }),
    networks: address ? [{ ...NetworkAttachment.fromPartial({}), network, addresses: [`${address}/24`] }] : [],
    endpoint: {
      spec: undefined,
      ports: published ? ports : [],
      virtualIps: address ? [{ networkId: 'back', addr: '10.0.1.2/24' }] : [],
    },
  };
};
const peer = (id: string, nodeAddr: string, given?: Given): NetworkPeer => ({
  ...NetworkPeer.fromPartial({ id, nodeAddr }),
  task: task(id, given),
});

describe('connections to a published port', () => {
  it('go to every running task: here at its address, elsewhere by way of its node', () => {
    const own = [
      { task: task('a'), address: '172.17.0.2' },
      { task: task('b'), address: undefined },
    ];
    const { ports, nodes } = routesOf(own, [peer('c', '198.51.100.2'), peer('d', '198.51.100.3')], isElsewhere);
    const here = [{ address: '172.17.0.2', port: 80 }, { port: 80 }];
    const there = [
      { address: '198.51.100.2', port: 8080 },
      { address: '198.51.100.3', port: 8080 },
    ];
    expect(ports).toEqual([{ protocol: 'tcp', port: 8080, here, everywhere: [...here, ...there] }]);
    expect(nodes).toEqual(['198.51.100.2', '198.51.100.3']);
  });

  it('do not go to tasks that do not run, are to end, or publish on their own host', () => {
    const peers = [
      peer('a', '198.51.100.2', { state: TaskState.STARTING }),
      peer('b', '198.51.100.2', { desiredState: TaskState.SHUTDOWN }),
      peer('c', '198.51.100.2', { mode: Mode.HOST }),
      peer('d', '127.0.0.1'),
    ];
    expect(routesOf([], peers, isElsewhere)).toEqual({ ports: [], addresses: [], nodes: [], ownAddresses: [] });
  });
});

describe('connections to a virtual address', () => {
  it('go to every running task in that network, wherever it is', () => {
    const own = [{ task: task('a', { published: 0, address: '10.0.1.3' }), address: '10.0.1.3' }];
    const peers = [peer('b', '198.51.100.2', { published: 0, address: '10.0.1.4' })];
    const { addresses, ownAddresses } = routesOf(own, peers, isElsewhere);
    expect(addresses).toEqual([{ address: '10.0.1.2', backends: [{ address: '10.0.1.3' }, { address: '10.0.1.4' }] }]);
    expect(ownAddresses).toEqual(['10.0.1.3']);
  });
});

describe('the ruleset', () => {
  it('takes the table away when nothing is led anywhere', () => {
    expect(rulesetOf('t', routesOf([], [], isElsewhere))).toBe('table ip t\ndelete table ip t\n');
  });

  it('keeps here what another node sent on, and has nodes that run nothing send it on', () => {
    const both = rulesetOf(
      't',
      routesOf([{ task: task('a'), address: '172.17.0.2' }], [peer('b', '198.51.100.2')], isElsewhere),
    );
    expect(both).toContain('ip saddr @nodes tcp dport vmap { 8080 : goto tcp_8080_here }');
    const sending = rulesetOf('t', routesOf([], [peer('b', '198.51.100.2')], isElsewhere));
    expect(sending).not.toContain('tcp_8080_here');
    expect(sending).toContain('tcp dport vmap { 8080 : goto tcp_8080_everywhere }');
  });
});

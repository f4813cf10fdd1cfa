/** Names of tasks on overlay networks, and the server that answers for them. */
import packet from 'dns-packet';
import { describe, expect, it } from 'vitest';
import type { NetworkAttachment } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { Directory, memberOf } from '../../../src/worker/network/directory.ts';
import { answer } from '../../../src/worker/network/name-server.ts';
import { assignedTask, onIngress, onOverlay } from '../../support/worker-builders.ts';

function directoryOf(...tasks: readonly (readonly [id: string, service: string, ...NetworksOfTask])[]): Directory {
  const directory = new Directory();
  for (const [id, service, ...networks] of tasks) {
    directory.put(memberOf({ ...assignedTask(id, { service }), networks }, true));
  }
  return directory;
}
type NetworksOfTask = readonly ReturnType<typeof onOverlay>[];

describe('a name on an overlay network', () => {
  const directory = directoryOf(
    ['a', 'web', onOverlay('back', '10.0.1.2/24', ['www'])],
    ['b', 'web', onOverlay('back', '10.0.1.3/24', ['www'])],
    ['c', 'client', onOverlay('back', '10.0.1.4/24')],
    ['d', 'stranger', onOverlay('front', '10.0.2.2/24')],
    ['e', 'both', onOverlay('front', '10.0.2.3/24'), onOverlay('back', '10.0.1.9/24')],
  );

  it.each(['web', 'WEB', 'web.', 'www', 'tasks.web', 'tasks.www', 'web.back', 'tasks.web.back'])(
    'that is %s stands for all tasks of the service',
    (name) => expect(directory.lookUp('10.0.1.4', name)).toEqual(['10.0.1.2', '10.0.1.3']),
  );

  it('that is a task stands for that task', () => {
    expect(directory.lookUp('10.0.1.4', 'web.1.b')).toEqual(['10.0.1.3']);
  });

  it("that is a container's on another node stands for its task", () => {
    const wide = directoryOf(['c', 'client', onOverlay('back', '10.0.1.4/24')]);
    const far = { ...assignedTask('a', { service: 'web' }), networks: [onOverlay('back', '10.0.1.2/24')] };
    wide.put(memberOf(far, true, { nodeAddr: '192.0.2.2', names: ['Host-1', '0123456789ab'] }));
    for (const name of ['host-1', 'HOST-1.back', '0123456789ab']) {
      expect(wide.lookUp('10.0.1.4', name)).toEqual(['10.0.1.2']);
    }
    expect(wide.lookUp('10.0.1.4', 'tasks.host-1')).toEqual([]);
  });

  it('that is known on several networks of a task stands for what it does on the first by name, internal ones last', () => {
    const places = (from: number) =>
      ['zone', 'back', 'abyss'].map((network, at) => onOverlay(network, `10.0.${at}.${from}/24`));
    const [zone, back, abyss] = places(3);
    const several = directoryOf(['a', 'web', ...places(2)]);
    const inside = { ...abyss, network: { ...abyss?.network, spec: { ...abyss?.network?.spec, internal: true } } };
    const client = {
      ...assignedTask('c', { service: 'client' }),
      networks: [inside, zone, back] as NetworkAttachment[],
    };
    several.put(memberOf(client, true));
    expect(several.lookUp('10.0.0.3', 'web')).toEqual(['10.0.1.2']);
  });

  it('is found for the address of a task on the same network', () => {
    expect(directory.nameOf('10.0.1.4', '10.0.1.3')).toBe('web.1.b.back');
    expect(directory.nameOf('10.0.2.2', '10.0.1.3')).toBeUndefined();
    expect(directory.nameOf('10.0.1.4', '10.0.1.77')).toBeUndefined();
  });

  it('is not known on other networks', () => {
    expect(directory.lookUp('10.0.2.2', 'web')).toEqual([]);
    expect(directory.lookUp('10.0.2.2', 'web.back')).toEqual([]);
    expect(directory.lookUp('192.0.2.9', 'web')).toEqual([]);
  });

  it('is known to a task on several networks whichever it asks through', () => {
    expect(directory.lookUp('10.0.2.3', 'web')).toHaveLength(2);
    expect(directory.lookUp('10.0.1.9', 'stranger')).toEqual(['10.0.2.2']);
  });

  it('stands for the last address of a task whose network is named twice, which its container has', () => {
    const twice = directoryOf(
      ['a', 'web', onOverlay('back', '10.0.1.2/24', ['one']), onOverlay('back', '10.0.1.3/24', ['two'])],
      ['c', 'client', onOverlay('back', '10.0.1.4/24')],
    );
    expect(['web', 'one', 'two'].map((name) => twice.lookUp('10.0.1.4', name))).toEqual([
      ['10.0.1.3'],
      [],
      ['10.0.1.3'],
    ]);
  });

  it('leaves out tasks that are not ready or gone', () => {
    const changing = directoryOf(
      ['a', 'web', onOverlay('back', '10.0.1.2/24')],
      ['b', 'web', onOverlay('back', '10.0.1.3/24')],
      ['c', 'client', onOverlay('back', '10.0.1.4/24')],
    );
    changing.put(
      memberOf({ ...assignedTask('a', { service: 'web' }), networks: [onOverlay('back', '10.0.1.2/24')] }, false),
    );
    expect(changing.lookUp('10.0.1.4', 'web')).toEqual(['10.0.1.3']);
    changing.remove('b');
    expect(changing.lookUp('10.0.1.4', 'web')).toEqual([]);
  });

  it('stands for the virtual address of the service where connections to it are led on', () => {
    const leading = new Directory();
    leading.leadsVirtualAddresses = true;
    const endpoint = { spec: undefined, ports: [], virtualIps: [{ networkId: 'back-id', addr: '10.0.1.200/24' }] };
    for (const [id, address] of [
      ['a', '10.0.1.2'],
      ['b', '10.0.1.3'],
    ] as const) {
      const networks = [onOverlay('back', `${address}/24`, ['www'])];
      leading.put(memberOf({ ...assignedTask(id, { service: 'web' }), networks, endpoint }, true));
    }
    expect(leading.virtualAddresses('back-id')).toEqual(new Set(['10.0.1.200']));
    for (const name of ['web', 'www.back']) expect(leading.lookUp('10.0.1.2', name)).toEqual(['10.0.1.200']);
    expect(leading.lookUp('10.0.1.2', 'tasks.web')).toEqual(['10.0.1.2', '10.0.1.3']);
    expect(leading.lookUp('10.0.1.2', 'web.1.b')).toEqual(['10.0.1.3']);
    leading.leadsVirtualAddresses = false;
    expect(leading.lookUp('10.0.1.2', 'web')).toEqual(['10.0.1.2', '10.0.1.3']);
  });

  it('is never a matter of the routing mesh', () => {
    expect(memberOf({ ...assignedTask('a'), networks: [onIngress()] }, true).places).toEqual([]);
  });
});

describe('a query', () => {
  const nothing = { addressesOf: () => [], nameOf: () => undefined };
  const ask = (name: string, type: 'A' | 'AAAA' | 'MX' | 'PTR', addresses: readonly string[]) => {
    const query = packet.encode({ type: 'query', id: 7, flags: packet.RECURSION_DESIRED, questions: [{ type, name }] });
    const reply = answer(query, {
      addressesOf: (asked) => (asked === 'web' ? addresses : []),
      nameOf: (asked) => (asked === '10.0.1.2' ? 'web.1.b.back' : undefined),
    });
    if (!reply) throw new Error('no reply');
    return { ...packet.decode(reply), length: reply.length } as ReturnType<typeof packet.decode> & {
      readonly rcode: string;
      readonly length: number;
    };
  };

  it('gets all addresses, under its own number', () => {
    const reply = ask('web', 'A', ['10.0.1.2', '10.0.1.3']);
    expect(reply).toMatchObject({ type: 'response', id: 7, rcode: 'NOERROR' });
    expect(reply.answers?.map((a) => 'data' in a && a.data)).toEqual(['10.0.1.2', '10.0.1.3']);
  });

  it('for other records of a known name gets an empty answer, or clients would ask elsewhere', () => {
    expect(ask('web', 'AAAA', ['10.0.1.2'])).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  it("for a name that is not the swarm's is refused, so that the next server is asked", () => {
    expect(ask('example.org', 'A', ['10.0.1.2'])).toMatchObject({ rcode: 'REFUSED', answers: [] });
  });

  it('for an address gets the name of the task that has it', () => {
    const reply = ask('2.1.0.10.in-addr.arpa', 'PTR', []);
    expect(reply).toMatchObject({ rcode: 'NOERROR', answers: [{ type: 'PTR', data: 'web.1.b.back' }] });
    expect(ask('3.1.0.10.in-addr.arpa', 'PTR', [])).toMatchObject({ rcode: 'REFUSED', answers: [] });
    expect(ask('2.1.0.10.in-addr.arpa', 'A', [])).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  it('never gets more than a plain client takes', () => {
    const many = Array.from({ length: 200 }, (_, i) => `10.0.1.${i}`);
    const reply = ask('web', 'A', many);
    expect(reply.length).toBeLessThanOrEqual(512);
    expect(reply.answers?.length).toBeGreaterThan(20);
  });

  it('that is none gets no answer', () => {
    expect(answer(Buffer.from('hello'), nothing)).toBeUndefined();
    const response = packet.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'web' }] });
    expect(answer(response, { ...nothing, addressesOf: () => ['10.0.1.2'] })).toBeUndefined();
  });
});

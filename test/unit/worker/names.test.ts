/** Names of tasks on overlay networks, and the server that answers for them. */
import packet from 'dns-packet';
import { describe, expect, it } from 'vitest';
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
  const ask = (name: string, type: 'A' | 'AAAA' | 'MX', addresses: readonly string[]) => {
    const query = packet.encode({ type: 'query', id: 7, flags: packet.RECURSION_DESIRED, questions: [{ type, name }] });
    const reply = answer(query, (asked) => (asked === 'web' ? addresses : []));
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

  it('never gets more than a plain client takes', () => {
    const many = Array.from({ length: 200 }, (_, i) => `10.0.1.${i}`);
    const reply = ask('web', 'A', many);
    expect(reply.length).toBeLessThanOrEqual(512);
    expect(reply.answers?.length).toBeGreaterThan(20);
  });

  it('that is none gets no answer', () => {
    expect(answer(Buffer.from('hello'), () => [])).toBeUndefined();
    const response = packet.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'web' }] });
    expect(answer(response, () => ['10.0.1.2'])).toBeUndefined();
  });
});

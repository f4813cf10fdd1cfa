import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AddressSpace,
  formatSubnet,
  freeSubnet,
  parseIpv4,
  parseSubnet,
  subnetsOverlap,
  type Subnet,
} from '../../../../src/manager/allocator/address-space.ts';
import { AddressBook } from '../../../../src/manager/allocator/address-book.ts';
import { planNetwork } from '../../../../src/manager/allocator/network-plan.ts';
import { Network, type DeepPartial } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NetworkSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { IPAMConfig } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';

const subnet = (text: string): Subnet => parseSubnet(text) as Subnet;
const pools = { defaultAddressPool: ['10.0.0.0/8'], subnetSize: 24 };
const plan = (network: Network, others: readonly Network[] = [], from = pools): Network => {
  const planned = planNetwork(network, others, from);
  if ('waitsFor' in planned) throw new Error(planned.waitsFor);
  return planned.network;
};

describe('subnets', () => {
  it('are read with their host bits cleared', () => {
    expect(formatSubnet(subnet('10.1.2.3/24'))).toBe('10.1.2.0/24');
    expect(parseSubnet('10.1.2.3')).toBeUndefined();
    expect(parseSubnet('fd00::/64')).toBeUndefined();
  });

  it('are cut from a pool beside everything that is taken', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 20, max: 28 })), { maxLength: 30 }),
        (taken) => {
          const others = taken.map(([third, length]) => subnet(`10.0.${third}.0/${length}`));
          const free = freeSubnet(subnet('10.0.0.0/16'), 24, others);
          if (free) expect(others.some((other) => subnetsOverlap(other, free))).toBe(false);
        },
      ),
    );
  });

  it('run out', () => {
    expect(freeSubnet(subnet('10.0.0.0/30'), 31, [subnet('10.0.0.0/30')])).toBeUndefined();
  });
});

describe('addresses', () => {
  it('are unique, inside the subnet, and never the first or the last', () => {
    const space = new AddressSpace(subnet('10.0.0.0/28'));
    const all = Array.from({ length: 14 }, () => space.takeAny() as number);
    expect(new Set(all).size).toBe(14);
    expect(all.map((address) => space.format(address))).toContain('10.0.0.14/28');
    expect(all).not.toContain(parseIpv4('10.0.0.0'));
    expect(all).not.toContain(parseIpv4('10.0.0.15'));
    expect(space.takeAny()).toBeUndefined();
    space.release(all[3] as number);
    expect(space.takeAny()).toBe(all[3]);
  });

  it('come from the range when there is one', () => {
    const space = new AddressSpace(subnet('10.0.0.0/24'), subnet('10.0.0.64/30'));
    expect(space.format(space.takeAny() as number)).toBe('10.0.0.64/24');
  });
});

describe('networks', () => {
  const network = (id: string, config?: DeepPartial<IPAMConfig>): Network =>
    Network.fromPartial({
      id,
      spec: { annotations: { name: id }, ...(config ? { ipam: { configs: [config] } } : {}) },
    });

  it('get the next free subnet, its first address as gateway, and a number of their own', () => {
    const first = plan(network('a'));
    const second = plan(network('b'), [first]);
    expect(first.ipam?.configs[0]).toMatchObject({ subnet: '10.0.0.0/24', gateway: '10.0.0.1' });
    expect(second.ipam?.configs[0]).toMatchObject({ subnet: '10.0.1.0/24', gateway: '10.0.1.1' });
    const ids = [first, second].map((n) => n.driverState?.options['com.docker.network.driver.overlay.vxlanid_list']);
    expect(ids).toEqual(['4096', '4097']);
  });

  it('keep the options they were made with', () => {
    const driverConfig = { name: 'overlay', options: { encrypted: '', 'com.docker.network.driver.mtu': '1300' } };
    const asked = Network.fromPartial({ id: 'a', spec: { annotations: { name: 'a' }, driverConfig } });
    expect(plan(asked).driverState?.options).toEqual({
      encrypted: '',
      'com.docker.network.driver.mtu': '1300',
      'com.docker.network.driver.overlay.vxlanid_list': '4096',
    });
  });

  it.each([
    [{ subnet: '10.1.0.0/24', range: '10.1.0.128/25' }, '10.1.0.128'],
    [{ subnet: '10.1.0.0/24', range: '10.1.0.0/25' }, '10.1.0.1'],
    [{ subnet: '10.1.0.0/24', reserved: { printer: '10.1.0.1', router: '10.1.0.2' } }, '10.1.0.3'],
    [{ subnet: '10.1.0.0/24', gateway: '10.1.0.254' }, '10.1.0.254'],
  ])('have the first free address of their range as gateway: %j', (config, gateway) => {
    expect(plan(network('a', config)).ipam?.configs[0]?.gateway).toBe(gateway);
  });

  it('give nobody an address that was reserved', () => {
    const planned = plan(
      network('a', { subnet: '10.1.0.0/29', reserved: { printer: '10.1.0.3', router: '10.1.0.4' } }),
    );
    const book = new AddressBook();
    book.addNetwork(planned);
    const given = Array.from({ length: 4 }, () => book.take('a'));
    expect(given).toEqual(['10.1.0.2/29', '10.1.0.5/29', '10.1.0.6/29', undefined]);
  });

  it('keep the subnet asked for, and others stay clear of it', () => {
    const asked = plan(network('a', { subnet: '10.0.0.0/23' }));
    expect(asked.ipam?.configs[0]).toMatchObject({ subnet: '10.0.0.0/23', gateway: '10.0.0.1' });
    expect(plan(network('b'), [asked]).ipam?.configs[0]?.subnet).toBe('10.0.2.0/24');
  });

  it('say what is missing when the pool is empty', () => {
    const small = { defaultAddressPool: ['10.9.0.0/24'], subnetSize: 24 };
    const first = plan(network('a'), [], small);
    expect(planNetwork(network('b'), [first], small)).toMatchObject({
      waitsFor: expect.stringContaining('10.9.0.0/24') as string,
    });
  });

  it('say what is missing when there is no number left for the wire', () => {
    const ids = { first: 4096, last: 4097 };
    const some = [plan(network('a')), plan(network('b'), [plan(network('a'))])];
    expect(planNetwork(network('c'), some, pools, ids)).toEqual({
      waitsFor: 'no free VXLAN id from 4096 to 4097: remove a network',
    });
    expect(planNetwork(network('c'), some.slice(1), pools, ids)).toHaveProperty('network');
  });

  it('get a number for each subnet', () => {
    const option = 'com.docker.network.driver.overlay.vxlanid_list';
    const configs = ['10.1.0.0/24', '10.2.0.0/24', 'fd00::/64'].map((subnet) => IPAMConfig.fromPartial({ subnet }));
    const asking = (asked: string): Network => ({
      ...network('a'),
      spec: {
        ...NetworkSpec.fromPartial({ annotations: { name: 'a' } }),
        driverConfig: { name: 'overlay', options: { [option]: asked } },
        ipam: { driver: undefined, configs },
      },
    });
    const numbers = (asked: string): unknown => plan(asking(asked), [plan(network('b'))]).driverState?.options[option];
    expect(['', '5000', '5000,5001,5002'].map(numbers)).toEqual(['4097,4098', '5000,4097', '5000,5001']);
    const other = { ...plan(asking('5000,5001')), id: 'b' };
    expect(planNetwork(asking('5001'), [other], pools)).toEqual({
      waitsFor: 'VXLAN id 5001 is that of network a: remove that network, or ask for another id',
    });
  });

  it('never share a number, not even one that was asked for', () => {
    const asking = (id: string): Network => {
      const driverConfig = { name: 'overlay', options: { 'com.docker.network.driver.overlay.vxlanid_list': '5000' } };
      return Network.fromPartial({ id, spec: { annotations: { name: id }, driverConfig } });
    };
    const first = plan(asking('first'));
    expect(planNetwork(asking('second'), [first], pools)).toMatchObject({
      waitsFor: expect.stringContaining('VXLAN id 5000 is that of network first') as string,
    });
    expect(planNetwork(asking('second'), [], pools)).toHaveProperty('network');
  });
});

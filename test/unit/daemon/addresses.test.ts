import { describe, expect, it } from 'vitest';
import { localWay } from '../../../src/daemon/addresses.ts';

describe('the way to a manager on this machine', () => {
  it.each([
    ['127.0.0.1:2377', '0.0.0.0', '127.0.0.1:2377'],
    ['manager.example:2377', '0.0.0.0', 'manager.example:2377'],
    // Translated on the way: others come by another address or port.
    ['192.0.2.1:2377', '0.0.0.0', '127.0.0.1:2377'],
    ['192.0.2.1:2377', '::', '[::1]:2377'],
    ['127.0.0.1:9999', '127.0.0.1', '127.0.0.1:2377'],
    ['manager.example:9999', '127.0.0.2', '127.0.0.2:2377'],
    ['[2001:db8::1]:2377', '[::]', '[::1]:2377'],
  ])('that advertises %s and listens on %s is %s', (advertised, host, way) => {
    expect(localWay(advertised, { host, port: 2377 })).toBe(way);
  });
});

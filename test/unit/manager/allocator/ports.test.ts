import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DYNAMIC_PORTS, PortSpace } from '../../../../src/manager/allocator/port-space.ts';
import { arePortsAllocated, reconcilePorts } from '../../../../src/manager/allocator/ports.ts';
import {
  PortConfig_Protocol,
  PortConfig_PublishMode,
  type PortConfig,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';

const { TCP, UDP } = PortConfig_Protocol;
const port = (targetPort: number, publishedPort = 0, more: Partial<PortConfig> = {}): PortConfig => ({
  name: '',
  protocol: TCP,
  targetPort,
  publishedPort,
  publishMode: PortConfig_PublishMode.INGRESS,
  ...more,
});

const anyPort = fc.record({
  name: fc.constantFrom('', 'a'),
  protocol: fc.constantFrom(TCP, UDP),
  targetPort: fc.integer({ min: 1, max: 4 }),
  publishedPort: fc.constantFrom(0, 0, 80, 81, 30_000, 30_001),
  publishMode: fc.constantFrom(PortConfig_PublishMode.INGRESS, PortConfig_PublishMode.HOST),
});

describe('published ports', () => {
  it('keep the number chosen for them when another port is added', () => {
    expect(reconcilePorts([port(80), port(443)], [port(80, 30_000)])).toEqual([port(80, 30_000), port(443)]);
  });

  it('keep it too when another one goes', () => {
    expect(reconcilePorts([port(443)], [port(80, 30_000), port(443, 30_001)])).toEqual([port(443, 30_001)]);
  });

  it('come in the order asked for, with everything but chosen numbers as asked', () => {
    fc.assert(
      fc.property(fc.array(anyPort, { maxLength: 6 }), fc.array(anyPort, { maxLength: 6 }), (wanted, held) => {
        const planned = reconcilePorts(wanted, held);
        expect(planned.map((p) => ({ ...p, publishedPort: 0 }))).toEqual(
          wanted.map((p) => ({ ...p, publishedPort: 0 })),
        );
        planned.forEach((p, i) => {
          const asked = wanted[i]?.publishedPort ?? 0;
          if (asked !== 0) expect(p.publishedPort).toBe(asked);
        });
      }),
    );
  });

  it('change nothing once they are as they should be', () => {
    fc.assert(
      fc.property(fc.array(anyPort, { maxLength: 6 }), (wanted) => {
        const space = new PortSpace();
        const allocated = wanted.map((p) =>
          p.publishMode === PortConfig_PublishMode.INGRESS && p.publishedPort === 0
            ? { ...p, publishedPort: 40_000 + (space.takeDynamic(p.protocol) ?? 0) - DYNAMIC_PORTS.first }
            : p,
        );
        const again = reconcilePorts(wanted, allocated);
        expect(arePortsAllocated(wanted, again)).toBe(true);
        expect(new Set(again.map((p) => JSON.stringify(p)))).toEqual(new Set(allocated.map((p) => JSON.stringify(p))));
      }),
    );
  });
});

describe('the port numbers of the cluster', () => {
  it('are never given out twice, whatever is taken, chosen and given back', () => {
    const step = fc.oneof(
      fc.record({ take: fc.integer({ min: 29_998, max: 30_005 }) }),
      fc.constant({ choose: true }),
      fc.record({ release: fc.nat(10) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(TCP, UDP), (steps, protocol) => {
        const space = new PortSpace();
        const held: number[] = [];
        for (const s of steps) {
          if ('release' in s) {
            const [freed] = held.splice(s.release, 1);
            if (freed !== undefined) space.release(protocol, freed);
            continue;
          }
          const got = 'take' in s ? (space.take(protocol, s.take) ? s.take : undefined) : space.takeDynamic(protocol);
          if (got !== undefined) {
            expect(held).not.toContain(got);
            held.push(got);
          }
        }
      }),
    );
  });

  it('rest after they were given back', () => {
    const space = new PortSpace();
    const first = space.takeDynamic(TCP) as number;
    space.release(TCP, first);
    expect(space.takeDynamic(TCP)).toBe(first + 1);
  });

  it('refuse numbers that are no ports', () => {
    const space = new PortSpace();
    expect([0, -1, 65_536].map((n) => space.take(TCP, n))).toEqual([false, false, false]);
  });
});

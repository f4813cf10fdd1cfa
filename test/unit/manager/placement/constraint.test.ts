import { describe, expect, it } from 'vitest';
import {
  enforcedConstraints,
  nodeSatisfies,
  parseConstraint,
  parseConstraints,
  valueSatisfies,
} from '../../../../src/manager/placement/constraint.ts';
import { Node } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';

const node = Node.fromPartial({
  id: 'n1',
  role: NodeRole.MANAGER,
  spec: { annotations: { labels: { Zone: 'a' } } },
  status: { addr: '10.1.2.3' },
  description: {
    hostname: 'Alpha',
    platform: { os: 'linux', architecture: 'x86_64' },
    engine: { labels: { d: 'ssd' } },
  },
});
const satisfies = (...expressions: string[]): boolean => nodeSatisfies(parseConstraints(expressions), node);

describe('constraint grammar', () => {
  it('trims blanks around key and value', () => {
    expect(parseConstraint('  node.role ==  worker ')).toEqual({ key: 'node.role', operator: '==', value: 'worker' });
  });

  it.each(['', 'node.role', 'node ~ x', '1a==b', 'a==b', 'node==', 'node==a,b', 'node==é', 'x.y!=a==b'])(
    'refuses %j',
    (expression) => {
      expect(() => parseConstraint(expression)).toThrowError(/invalid|expected one operator/);
    },
  );

  it('enforces nothing when one expression of the list does not parse', () => {
    expect(enforcedConstraints(['node.id==other', 'nonsense'])).toEqual([]);
    expect(enforcedConstraints(['node.id==other'])).toHaveLength(1);
  });
});

describe('constraint matching', () => {
  it('compares whole values and ignores case', () => {
    expect(satisfies('node.hostname==alpha', 'NODE.ROLE==Manager', 'node.platform.os==Linux')).toBe(true);
    expect(satisfies('node.hostname==alph')).toBe(false);
  });

  it('keeps the case of label names and treats a missing label as empty', () => {
    expect(satisfies('node.labels.Zone==A', 'engine.labels.d==ssd')).toBe(true);
    expect(satisfies('node.labels.zone==a')).toBe(false);
    expect(satisfies('node.labels.zone!=a')).toBe(true);
  });

  it('matches addresses and networks of both families', () => {
    expect(satisfies('node.ip==10.1.2.3', 'node.ip==10.1.0.0/16', 'node.ip!=10.2.0.0/16')).toBe(true);
    expect(satisfies('node.ip==10.1.2.3/31')).toBe(true);
    expect(satisfies('node.ip==::ffff:10.1.2.3')).toBe(true);
    expect(satisfies('node.ip==2001:db8::/32')).toBe(false);
  });

  it('matches no node when the address does not parse or the key is unknown, whatever the operator', () => {
    for (const operator of ['==', '!=']) {
      for (const value of ['nowhere', '10.1.2.300', '10.1.2.3/33', '10.1.02.3', '1::2::3', ':::', '1:2:3:4:5:6:7:8:9'])
        expect(satisfies(`node.ip${operator}${value}`)).toBe(false);
      expect(satisfies(`node.colour${operator}red`)).toBe(false);
    }
  });

  it('lets != pass when there is nothing to compare with', () => {
    expect(valueSatisfies(parseConstraint('node.x!=a'), [])).toBe(true);
    expect(valueSatisfies(parseConstraint('node.x==a'), [])).toBe(false);
  });
});

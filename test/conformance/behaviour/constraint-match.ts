/** constraint_match.json: does a list of candidate values, or a node, satisfy constraints? */
import {
  nodeSatisfies,
  parseConstraint,
  parseConstraints,
  valueSatisfies,
} from '../../../src/manager/placement/constraint.ts';
import { Node } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { expectSame, refuseUnknownMembers, type CaseHandler, textOf } from './case.ts';

interface CaseNode {
  readonly id: string;
  readonly role?: string;
  readonly addr?: string;
  readonly hostname?: string;
  readonly platform?: { readonly os?: string; readonly arch?: string };
  readonly labels?: Readonly<Record<string, string>>;
  readonly engineLabels?: Readonly<Record<string, string>>;
}

export const constraintMatch: CaseHandler = async (testCase) => {
  if (testCase['kind'] === 'value') {
    const constraint = parseConstraint(textOf(testCase['expr']));
    return expectSame(valueSatisfies(constraint, testCase['candidates'] as readonly string[]), testCase['match']);
  }
  const constraints = parseConstraints(testCase['exprs'] as readonly string[]);
  return expectSame(nodeSatisfies(constraints, nodeOf(testCase['node'] as CaseNode)), testCase['match']);
};

function nodeOf(given: CaseNode): Node {
  refuseUnknownMembers(
    { ...given },
    ['id', 'role', 'addr', 'hostname', 'platform', 'labels', 'engineLabels'],
    'member of node',
  );
  const isDescribed = given.hostname !== undefined || given.platform !== undefined || given.engineLabels !== undefined;
  return Node.fromPartial({
    id: given.id,
    role: given.role === 'manager' ? NodeRole.MANAGER : NodeRole.WORKER,
    spec: { annotations: { labels: { ...given.labels } } },
    status: { addr: given.addr ?? '' },
    ...(isDescribed && {
      description: {
        hostname: given.hostname ?? '',
        ...(given.platform && { platform: { os: given.platform.os ?? '', architecture: given.platform.arch ?? '' } }),
        ...(given.engineLabels && { engine: { labels: { ...given.engineLabels } } }),
      },
    }),
  });
}

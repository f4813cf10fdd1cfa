/** The node satisfies the service's placement constraints. */
import { enforcedConstraints, nodeSatisfies } from '../../placement/constraint.ts';
import { nodes, type Filter } from './filter.ts';

export const constraintsFilter: Filter = {
  name: 'constraints',
  isConsumed: false,
  helpedBy: 'node',
  applies: ({ sample }) => {
    const constraints = enforcedConstraints(sample.spec?.placement?.constraints);
    if (constraints.length === 0) return undefined;
    return {
      passes: ({ node }) => node !== undefined && nodeSatisfies(constraints, node),
      why: ({ node }) =>
        constraints
          .filter((constraint) => !node || !nodeSatisfies([constraint], node))
          .map(({ key, operator, value }) => `does not satisfy ${key}${operator}${value}`)
          .join('; '),
    };
  },
  explain: (count) => `scheduling constraints not satisfied on ${nodes(count)}`,
};

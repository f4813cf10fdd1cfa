/** generic_resources.json: counted and named resources of a node. */
import { isSwarmError } from '../../../src/common/errors.ts';
import {
  claimGeneric,
  consumeGeneric,
  genericListOf,
  hasEnoughGeneric,
  hasGeneric,
  parseGenericResources,
  reclaimGeneric,
  sanitizeGeneric,
  type GenericAmount,
  type GenericPool,
} from '../../../src/manager/placement/generic-resource.ts';
import { genericEnvironment } from '../../../src/worker/task-environment.ts';
import { expectSame, failed, refuseUnknownMembers, type CaseHandler } from './case.ts';

type Amounts = Readonly<Record<string, GenericAmount>>;

interface Given {
  readonly text?: string;
  readonly available?: Amounts;
  readonly want?: Amounts;
  readonly freed?: Amounts;
  readonly total?: Amounts;
  readonly use?: Amounts;
  readonly assigned?: Amounts;
}

export const genericResources: CaseHandler = async (testCase) => {
  const given = testCase['given'] as Given;
  refuseUnknownMembers({ ...given }, ['text', 'available', 'want', 'freed', 'total', 'use', 'assigned'], 'given');
  const { swarmkitGives: _, ...expected } = testCase['expect'] as Record<string, unknown>;
  const play = KINDS[String(testCase['kind'])];
  if (!play) return failed(`unknown kind ${String(testCase['kind'])}`);
  try {
    return expectSame(play(given), expected);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    return expectSame({ error: true }, expected, error.message);
  }
};

const KINDS: Readonly<Record<string, (given: Given) => unknown>> = {
  parse: ({ text = '' }) => ({ resources: amountsOf(parseGenericResources(text)) }),
  has: ({ available, want }) => ({ ok: hasGeneric(poolOf(available), poolOf(want)) }),
  enough: ({ available, want }) => ({ ok: hasEnoughGeneric(poolOf(available), poolOf(want)) }),
  claim: ({ available, want }) => {
    const claimed = claimGeneric(poolOf(available), poolOf(want));
    return { available: amountsOf(claimed.available), assigned: amountsOf(claimed.assigned) };
  },
  reclaim: ({ available, freed, total }) => {
    const sum = reclaimGeneric(poolOf(available), poolOf(freed));
    return { available: amountsOf(total ? sanitizeGeneric(sum, poolOf(total)) : sum) };
  },
  sanitize: ({ available, total }) => ({ available: amountsOf(sanitizeGeneric(poolOf(available), poolOf(total))) }),
  consume: ({ available, use }) => ({ available: amountsOf(consumeGeneric(poolOf(available), poolOf(use))) }),
  env: ({ assigned }) => genericEnvironment(genericListOf(poolOf(assigned))),
};

const poolOf = (amounts: Amounts = {}): GenericPool => new Map(Object.entries(amounts));
const amountsOf = (pool: GenericPool): Amounts => Object.fromEntries(pool);

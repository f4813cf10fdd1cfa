/** constraint_parse.json: does one expression parse, and into what? */
import { isSwarmError } from '../../../src/common/errors.ts';
import { parseConstraint, type Constraint } from '../../../src/manager/placement/constraint.ts';
import { expectSame, type CaseHandler, textOf } from './case.ts';

export const constraintParse: CaseHandler = async (testCase) => {
  const expected = testCase['ok'] === true ? (testCase['parsed'] ?? 'accepted') : 'refused';
  let parsed: Constraint;
  try {
    parsed = parseConstraint(textOf(testCase['expr']));
  } catch (error) {
    if (!isSwarmError(error, 'invalidArgument')) throw error;
    return expectSame('refused', expected);
  }
  const { key, operator, value } = parsed;
  return expectSame(expected === 'accepted' ? 'accepted' : { key, op: operator, value }, expected);
};

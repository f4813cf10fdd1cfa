/** validation.json: what the control service accepts, and with which code it refuses. */
import { ERROR_KINDS, isSwarmError } from '../../../src/common/errors.ts';
import { expectSame, failed, passedBetter, type CaseHandler } from './case.ts';
import { VALIDATION_ACTIONS } from './validation-actions.ts';

/** Where the reference leaks errors without a code, ours have one. */
const BETTER_CODES: readonly { readonly ours: string; readonly text: RegExp; readonly reason: string }[] = [
  {
    ours: 'InvalidArgument',
    text: /constraint|^key |^value /,
    reason: 'a constraint that does not parse is InvalidArgument (400) instead of Unknown (500)',
  },
  {
    ours: 'Aborted',
    text: /update out of sequence/,
    reason: 'a stale version is Aborted (409) instead of Unknown (500)',
  },
];

export const validation: CaseHandler = async (testCase) => {
  const field = String(testCase['field']);
  const action = VALIDATION_ACTIONS[field];
  if (!action) return failed(`the handler does not know the field ${JSON.stringify(field)}`);
  const expected = testCase['ok'] === true ? 'accepted' : testCase['error'];
  try {
    await action(testCase['value']);
    return expectSame('accepted', expected);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    const code = ERROR_KINDS[error.code].rpcName;
    const better = BETTER_CODES.find(
      ({ ours, text }) => expected === 'Unknown' && ours === code && text.test(error.message),
    );
    return better ? passedBetter(better.reason) : expectSame(code, expected, `code of "${error.message}"`);
  }
};

/** orchestrators.json: slots of replicated and global services, played in a small world with the real loops. */
import type { CaseHandler, CaseResult } from './case.ts';
import { failed, skippedCase, textOf } from './case.ts';
import { playGlobal } from './orchestrators-global.ts';
import { playReplicated } from './orchestrators-replicated.ts';

export const orchestrators: CaseHandler = async (testCase): Promise<CaseResult> => {
  const given = testCase['given'] as Readonly<Record<string, unknown>>;
  const expected = testCase['expect'] as Readonly<Record<string, unknown>>;
  switch (testCase['mode']) {
    case 'replicated':
      return playReplicated(given, expected);
    case 'global':
      return playGlobal(given, expected);
    case 'replicated-job':
    case 'global-job':
      return skippedCase('job modes come later');
    default:
      return failed(`unknown mode ${textOf(testCase['mode'])}`);
  }
};

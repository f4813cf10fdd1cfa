/** orchestrators.json: slots of services and jobs, played in a small world with the real loops. */
import type { CaseHandler, CaseResult } from './case.ts';
import { failed, textOf } from './case.ts';
import { playGlobal } from './orchestrators-global.ts';
import { playJob } from './orchestrators-jobs.ts';
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
      return playJob(given, expected, testCase['mode'] === 'global-job');
    default:
      return failed(`unknown mode ${textOf(testCase['mode'])}`);
  }
};

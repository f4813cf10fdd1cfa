/** updater.json: rolling updates and rollbacks, played in a small world with the real orchestrator. */
import type { CaseHandler, CaseResult } from './case.ts';
import { playChange } from './updater-change.ts';
import { playStored } from './updater-stored.ts';

type Members = Readonly<Record<string, unknown>>;

export const updater: CaseHandler = async (testCase): Promise<CaseResult> => {
  const given = testCase['given'] as Members;
  const expected = testCase['expect'] as Members;
  const startsFromStore = given['state'] !== undefined || given['slot'] !== undefined || 'task log driver' in given;
  return startsFromStore ? playStored(given, expected) : playChange(given, expected);
};

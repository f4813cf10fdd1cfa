/** Plays behaviour case files when their folder is given; `npm run conformance:behaviour -- DIR` does the same without vitest. */
import { describe, expect, it } from 'vitest';
import { HANDLERS } from '../../conformance/behaviour/handlers.ts';
import { caseFiles, playFile, report } from '../../conformance/behaviour/run.ts';

const folder = process.env['BEHAVIOUR_CASES'];
if (folder === undefined) console.log('behaviour cases skipped: set BEHAVIOUR_CASES to a folder with case files');

describe.skipIf(folder === undefined)('behaviour cases', () => {
  for (const path of folder === undefined ? [] : caseFiles(folder)) {
    it(`agrees with ${path}`, async () => {
      const outcome = await playFile(path, HANDLERS);
      const failures = report(outcome).filter((line) => line.includes('✗'));
      expect(failures).toEqual([]);
    });
  }
});

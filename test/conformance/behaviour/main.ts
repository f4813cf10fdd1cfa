/** `npm run conformance:behaviour -- DIR`: plays every known case file below DIR; exit code 1 when one case fails. */
import { HANDLERS } from './handlers.ts';
import { caseFiles, count, playFile, report, type FileOutcome } from './run.ts';

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: npm run conformance:behaviour -- DIR   (a folder with case files such as updater.json)');
  process.exit(2);
}

const outcomes: FileOutcome[] = [];
for (const path of caseFiles(folder)) {
  const outcome = await playFile(path, HANDLERS);
  outcomes.push(outcome);
  for (const line of report(outcome)) console.log(line);
}
const { passed, failed } = count(outcomes);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

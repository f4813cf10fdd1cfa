/** Runs every data file below a folder and reports what differs. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { describeDifference } from './difference.ts';
import { findDataFiles } from './find-files.ts';
import { familyOf, runDataFile } from './run-file.ts';
import type { Failure } from './run-file.ts';

const USAGE = 'usage: conformance DIR (a folder with raft data files, or one file)';

/**
 * Runs all files; `print` gets the report line by line, the last one being `N passed, M failed`. Returns the exit code: 0 all passed,
 * 1 some failed, 2 wrong usage.
 */
export function runConformance(args: readonly string[], print: (line: string) => void): 0 | 1 | 2 {
  const [root] = args;
  if (root === undefined || args.length !== 1 || root.startsWith('-')) {
    print(USAGE);
    return 2;
  }
  let files: readonly string[];
  try {
    files = findDataFiles(root);
  } catch (error) {
    print(`cannot read ${root}: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  if (files.length === 0) {
    print(`no data files (*.txt) below ${root}`);
    return 2;
  }
  let failed = 0;
  for (const file of files) {
    const failures = runDataFile(familyOf(file), readFileSync(file, 'utf8'));
    if (failures.length === 0) continue;
    failed++;
    for (const failure of failures) print(describeFailure(relative(process.cwd(), file), failure));
  }
  print(`${files.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function describeFailure(file: string, { line, command, expected, actual }: Failure): string {
  return `${file}:${line}: ${command}\n${describeDifference(expected, actual)}\n`;
}

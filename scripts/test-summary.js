#!/usr/bin/env node
// Closing lines of a full run: what was skipped and why, then "N passed, N failed".
// Arguments: the JSON report of the tests, and how many of the other steps failed (the tests count as one step).
import { readFileSync } from 'node:fs';

const [, , file, steps = '0'] = process.argv;
let passed = 0;
let failed = 0;
const skipped = [];
try {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const suite of report.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') passed++;
      else if (test.status === 'failed') failed++;
      else skipped.push(test.fullName);
    }
    if (suite.status === 'failed' && suite.assertionResults.length === 0) failed++;
  }
} catch (error) {
  console.error(`the test report cannot be read: ${error.message}`);
}
const failedSteps = Number(steps);
if (failed === 0) failed = failedSteps;
if (passed === 0 && failed === 0) failed = 1;
// A skipped test carries its reason in its name: "… (skipped: needs root)".
console.log(`skipped tests: ${skipped.length}`);
for (const name of skipped) console.log(`  - ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && failedSteps === 0 ? 0 : 1);

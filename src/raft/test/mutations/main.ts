/** `npm run mutations`: plants every bug, sees who finds it, and writes docs/mutations.md. Fails if one survives. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTATIONS } from './catalogue.ts';
import type { Mutation } from './mutation.ts';
import { PatchedCopy } from './patched-copy.ts';
import type { Ran } from './patched-copy.ts';
import { findingsPage } from './page.ts';
import type { Findings } from './page.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `Plants known bugs in a copy of raft-ts, one at a time, and runs what should find them.

  npm run mutations                    all of them; writes docs/mutations.md
    --only TEXT                        those with this in their name; what is known of the others is kept
    --seconds N                        begin no further one after this time; the next call goes on from there`;

process.exitCode = values.help ? help() : main();

function help(): number {
  console.log(HELP);
  return 0;
}

function main(): number {
  const root = resolve('.');
  const folder = join(root, 'dist-test', 'mutations');
  const deadline = performance.now() + Number(values.seconds) * 1000;
  const copy = new PatchedCopy(root);
  const keep = join(folder, 'findings.json');
  const isSlice = values.seconds !== 'Infinity';
  const known =
    (isSlice || values.only !== '') && existsSync(keep) ? (JSON.parse(readFileSync(keep, 'utf8')) as Findings[]) : [];
  const found = new Map(known.map((findings) => [findings.name, findings]));
  for (const mutation of MUTATIONS.filter(({ name }) => name.includes(values.only))) {
    if (isSlice && found.has(mutation.name)) continue;
    if (performance.now() > deadline) break;
    const findings = copy.with(mutation.edits, () => examine(copy, mutation));
    found.set(mutation.name, findings);
    console.log(describe(findings));
    writeFileSync(keep, JSON.stringify([...found.values()]));
  }
  const all = MUTATIONS.map(({ name }) => found.get(name)).filter((findings) => findings !== undefined);
  const survivors = all.filter((findings) => !isFound(findings));
  console.log(`${all.length} of ${MUTATIONS.length} planted, ${survivors.length} survived`);
  if (all.length === MUTATIONS.length) writeFileSync(join(root, 'docs', 'mutations.md'), findingsPage(all));
  return survivors.length === 0 ? 0 : 1;
}

function examine(copy: PatchedCopy, { name, foundBy }: Mutation): Findings {
  const { conformance = false, test, simulation = 0 } = foundBy;
  return {
    name,
    conformance: conformance ? failedFiles(copy.conformance()) : undefined,
    test: test === undefined ? undefined : { file: test, name: failedTest(copy.test(test)) },
    simulation: simulation === 0 ? undefined : simulate(copy, simulation),
  };
}

function failedFiles({ failed, output }: Ran): number {
  const count = Number(/(\d+) failed/.exec(output)?.[1] ?? 0);
  return failed ? Math.max(1, count) : count;
}

function failedTest({ failed, output }: Ran): string | undefined {
  if (!failed) return undefined;
  const start = output.indexOf('{');
  try {
    const report = JSON.parse(output.slice(start, output.lastIndexOf('}') + 1)) as Report;
    const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    return tests.find(({ status }) => status === 'failed')?.fullName ?? 'the file itself';
  } catch {
    return 'the file itself';
  }
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function simulate(copy: PatchedCopy, seeds: number): NonNullable<Findings['simulation']> {
  const { failed, output } = copy.simulation(['--seeds', `1..${seeds}`, '--json', '--no-shrink']);
  const line = output.split('\n').find((each) => each.startsWith('{'));
  if (line === undefined) return { events: 0, failure: failed ? 'it ends abruptly or hangs' : undefined };
  return JSON.parse(line) as { events: number; failure?: string };
}

function isFound({ conformance = 0, test, simulation }: Findings): boolean {
  return conformance > 0 || test?.name !== undefined || simulation?.failure !== undefined;
}

function describe(findings: Findings): string {
  const { name, conformance, test, simulation } = findings;
  const parts = [
    conformance === undefined ? undefined : `${conformance} files`,
    test === undefined ? undefined : (test.name ?? `nothing in ${test.file}`),
    simulation === undefined ? undefined : `${simulation.failure ?? 'nothing'} after ${simulation.events} events`,
  ];
  return `${isFound(findings) ? 'found' : 'SURVIVES'}: ${name}: ${parts.filter((part) => part !== undefined).join('; ')}`;
}

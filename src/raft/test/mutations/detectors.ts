/** What is run against a bug planted in raft-ts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PatchedCopy } from '../planting/patched-copy.ts';
import type { Mutation } from './mutation.ts';
import type { Findings } from './page.ts';

/** The data files take a second, unless a script never comes to rest. */
const CONFORMANCE_PATIENCE_MS = 30_000;
const SOUND_SEEDS = 20;
const SIMULATOR = program('simulation');
const NO_SHRINK = '--no-shrink';

export function openRaftCopy(root: string): PatchedCopy {
  const parts = ['src', 'test', 'package.json'].map((part) => [join('src', 'raft', part), part] as const);
  const compile = { compilerOptions: { rootDir: 'src', outDir: 'dist' }, include: ['src'] };
  const copy = new PatchedCopy({ root, folder: join('dist-test', 'mutations', 'raft'), parts, compile });
  // The test runner would take that of a folder above.
  writeFileSync(join(copy.folder, 'vitest.config.js'), 'export default {};');
  return copy;
}

export function examine(copy: PatchedCopy, { name, foundBy }: Pick<Mutation, 'name' | 'foundBy'>): Findings {
  const { conformance = false, test, simulation = 0 } = foundBy;
  return {
    name,
    conformance: conformance ? failedDataFiles(copy) : undefined,
    test: test === undefined ? undefined : { file: test, name: failedTest(copy, test) },
    simulation: simulation === 0 ? undefined : copy.simulate(SIMULATOR, `1..${simulation}`, NO_SHRINK),
  };
}

/** Each of them once, the simulation for a while. */
export function examineSound(copy: PatchedCopy, mutations: readonly Mutation[]): readonly Findings[] {
  const tests = new Set(mutations.flatMap(({ foundBy }) => foundBy.test ?? []));
  const general = { name: 'data files and simulation', foundBy: { conformance: true, simulation: SOUND_SEEDS } };
  return [general, ...Array.from(tests, (test) => ({ name: test, foundBy: { test } }))].map((sound) =>
    examine(copy, sound),
  );
}

export function breaksAnyway(copy: PatchedCopy, { simulation = { events: 0 } }: Findings): boolean {
  return copy.breaksAgain(SIMULATOR, simulation, NO_SHRINK);
}

function program(kit: string): string {
  return join('dist', 'testing', kit, 'main.js');
}

function failedDataFiles(copy: PatchedCopy): number {
  const { failed, output } = copy.run([program('conformance'), 'test/data'], CONFORMANCE_PATIENCE_MS);
  const count = Number(/(\d+) failed/.exec(output)?.[1] ?? 0);
  return failed ? Math.max(1, count) : count;
}

/** The first failure in one of the package's test files. */
function failedTest(copy: PatchedCopy, file: string): string | undefined {
  const vitest = join(copy.packages, 'vitest', 'vitest.mjs');
  const args = ['run', '--root', copy.folder, '--bail', '1', '--reporter', 'json', '--testTimeout', '60000'];
  const { failed, output } = copy.run([vitest, ...args, join('test', file)]);
  return failed ? (firstFailure(output) ?? 'the file itself') : undefined;
}

function firstFailure(output: string): string | undefined {
  try {
    const report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as Report;
    const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    return tests.find(({ status }) => status === 'failed')?.fullName;
  } catch {
    return undefined;
  }
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

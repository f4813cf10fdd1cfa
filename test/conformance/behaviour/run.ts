/** Plays all case files of a folder and tells the outcome. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { failed, type BehaviourCase, type CaseHandler, type CaseResult } from './case.ts';

export interface FileOutcome {
  readonly file: string;
  /** Set when no handler knows the file. */
  readonly skipped?: string;
  readonly results: readonly { readonly id: string; readonly result: CaseResult }[];
}

/** Every .json file below a folder, in order of name. */
export function caseFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Plays one file; a case that throws has failed. */
export async function playFile(path: string, handlers: Readonly<Record<string, CaseHandler>>): Promise<FileOutcome> {
  const file = basename(path, '.json');
  const handler = handlers[file];
  if (!handler) return { file, skipped: 'no handler knows this file', results: [] };
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { readonly cases: readonly BehaviourCase[] };
  const results: { id: string; result: CaseResult }[] = [];
  for (const testCase of cases) results.push({ id: testCase.id, result: await playCase(testCase, handler) });
  return { file, results };
}

async function playCase(testCase: BehaviourCase, handler: CaseHandler): Promise<CaseResult> {
  try {
    return await handler(testCase);
  } catch (error) {
    return failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** Lines for people: one per file, one per failure or deliberate difference. */
export function report(outcome: FileOutcome): readonly string[] {
  if (outcome.skipped !== undefined) return [`${outcome.file}: skipped (${outcome.skipped})`];
  const lines: string[] = [];
  for (const { id, result } of outcome.results) {
    if (!result.ok) lines.push(`  ✗ ${outcome.file}/${id}: ${result.detail}`);
    else if (result.better !== undefined) lines.push(`  ~ ${outcome.file}/${id}: better on purpose: ${result.better}`);
  }
  const { passed, failed: failures } = count([outcome]);
  return [`${outcome.file}: ${passed} passed, ${failures} failed`, ...lines];
}

export function count(outcomes: readonly FileOutcome[]): { readonly passed: number; readonly failed: number } {
  const results = outcomes.flatMap((outcome) => outcome.results);
  const good = results.filter(({ result }) => result.ok).length;
  return { passed: good, failed: results.length - good };
}

/** What runs found, kept so that a later run adds to it; and the page made of it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../support/repository.ts';
import type { Tally } from './clients.ts';

const RECORD = join(repositoryRoot, 'bench', 'results', 'reliability.json');

export interface Run {
  readonly seed: number;
  readonly managers: number;
  readonly commit: string;
  readonly measuredAt: string;
  readonly seconds: number;
  /** Rounds, by the name of the fault. */
  readonly rounds: Readonly<Record<string, number>>;
  readonly tally: Tally;
  /** Of the service's tasks, looked at after every round. */
  readonly tasksChecked: number;
  /** Logs that were found damaged, after which the manager joined anew. */
  readonly repairs: number;
  /** Empty if all that must hold did hold. */
  readonly violations: readonly string[];
  /** Written by hand: what was done about them. */
  readonly sequel?: string;
}

export function readRuns(): readonly Run[] {
  return existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, 'utf8')) as readonly Run[]) : [];
}

export function writeRuns(runs: readonly Run[]): void {
  mkdirSync(dirname(RECORD), { recursive: true });
  writeFileSync(RECORD, `${JSON.stringify(runs, null, 2)}\n`);
}

export function currentCommit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'bin') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

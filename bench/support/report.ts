/** What one bench found: printed as a table, kept as JSON for the page of results. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { endInOrderWhenInterrupted } from '../../test/support/interruption.ts';
import { repositoryRoot } from '../../test/support/repository.ts';

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The value must not be above (or, with `isLowerBound`, below) this. */
  readonly limit?: number;
  readonly isLowerBound?: boolean;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
}

export interface BenchReport {
  readonly name: string;
  readonly title: string;
  /** How to measure it again. */
  readonly command: string;
  readonly commit: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  /** One-minute load averages when the bench began and ended; its own work is in the second. */
  readonly load: { readonly before: number; readonly after: number };
  readonly figures: readonly Figure[];
  /** How it was measured, and what a reader must know. */
  readonly notes: readonly string[];
  /** Why it could not be measured on this machine. */
  readonly skipped?: string;
}

export interface Findings {
  readonly figures: readonly Figure[];
  readonly notes?: readonly string[];
  readonly skipped?: string;
}

export const RESULTS = join(repositoryRoot, 'bench', 'results');

/** Runs a bench and reports: prints the table, writes bench/results/NAME.json, sets exit code 1 when a limit is missed. */
export async function report(
  name: string,
  title: string,
  measure: () => Promise<Findings>,
  command = `npm run bench:${name}`,
): Promise<void> {
  endInOrderWhenInterrupted();
  const before = load();
  const { figures, notes = [], skipped } = await measure();
  const result: BenchReport = {
    name,
    title,
    command,
    commit: commit(),
    measuredAt: new Date().toISOString(),
    machine: machine(),
    load: { before, after: load() },
    figures,
    notes,
    ...(skipped === undefined ? {} : { skipped }),
  };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  print(result);
  if (figures.some((figure) => !holds(figure))) process.exitCode = 1;
}

/** Whether a figure is within its limit; one without a limit always is. */
export const holds = ({ value, limit, isLowerBound }: Figure): boolean =>
  limit === undefined || (isLowerBound ? value >= limit : value <= limit);

export const readResult = (name: string): BenchReport | undefined => {
  try {
    return JSON.parse(readFileSync(join(RESULTS, `${name}.json`), 'utf8')) as BenchReport;
  } catch {
    return undefined;
  }
};

/** Three significant digits, and no exponents. */
export const shown = (value: number): string =>
  Number.isFinite(value)
    ? Math.abs(value) >= 100
      ? Math.round(value).toLocaleString('en')
      : String(Number(value.toPrecision(3)))
    : '–';

export const shownLimit = ({ limit, isLowerBound, unit }: Figure): string =>
  limit === undefined ? '' : `${isLowerBound ? '≥' : '≤'} ${shown(limit)} ${unit}`.trim();

function print({ title, figures, notes, load: { before, after }, skipped }: BenchReport): void {
  console.log(`\n${title} (load ${before} before, ${after} after)`);
  if (skipped !== undefined) console.log(`skipped: ${skipped}`);
  if (figures.length > 0) {
    console.table(
      Object.fromEntries(
        figures.map((figure) => [
          figure.what,
          {
            value: `${shown(figure.value)} ${figure.unit}`.trim(),
            limit: shownLimit(figure),
            verdict: figure.limit === undefined ? '' : holds(figure) ? 'PASS' : 'FAIL',
          },
        ]),
      ),
    );
  }
  for (const note of notes) console.log(note);
}

const load = (): number => Number((loadavg()[0] ?? 0).toFixed(2));

function machine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

function commit(): string {
  try {
    const git = (...args: readonly string[]): string =>
      execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8' }).trim();
    const isChanged = git('status', '--porcelain', '--', 'src', 'bin') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

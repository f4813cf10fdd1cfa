/** Writes docs/performance.md from what the benches left in bench/results, and from bench/findings.md: `npm run bench:page`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../test/support/repository.ts';
import { REPORTS } from './support/benches.ts';
import { holds, readResult, shown, shownLimit, type BenchReport, type Figure } from './support/report.ts';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const verdict = (figure: Figure): string =>
  figure.limit === undefined ? '' : holds(figure) ? 'reached' : '**missed**';

function section(report: BenchReport): string {
  const { title, command, commit, measuredAt, machine, load, figures, notes, skipped } = report;
  const lines = [
    `## ${title}`,
    '',
    `\`${command}\` at commit ${commit}, ${measuredAt.slice(0, 16).replace('T', ' ')} UTC. ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, Linux ${machine.kernel}, Node ${machine.node}. Load average ${load.before} before, ${load.after} after.`,
    '',
  ];
  if (skipped !== undefined) lines.push(`Not measured: ${skipped}.`, '');
  if (figures.length > 0) {
    lines.push(row(['what', 'measured', 'must be', '']), row(['---', '---:', '---:', '---']));
    for (const figure of figures) {
      lines.push(
        row([figure.what, `${shown(figure.value)} ${figure.unit}`.trim(), shownLimit(figure), verdict(figure)]),
      );
    }
    lines.push('');
  }
  for (const note of notes) lines.push(note, '');
  return lines.join('\n');
}

const reports = REPORTS.flatMap((name) => readResult(name) ?? []);
const page = [
  '# Performance',
  '',
  'Written by `npm run bench`, which measures everything again; do not edit. Times are of the machine named with them: compare ratios and counts, and times only with times of the same machine. A load average above the number of cores when a bench began means that other work slowed it down.',
  '',
  ...reports.map(section),
  readFileSync(join(repositoryRoot, 'bench', 'findings.md'), 'utf8'),
].join('\n');
const file = join(repositoryRoot, 'docs', 'performance.md');
writeFileSync(file, `${page.trimEnd()}\n`);
console.log(`written: ${file}`);

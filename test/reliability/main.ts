/** `npm run reliability`: real managers in network namespaces under faults and load. Exit code 1 when something that must hold did not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForNamespaces } from '../../bench/support/needs.ts';
import { repositoryRoot } from '../support/repository.ts';
import { reliabilityPage } from './page.ts';
import { readRuns, writeRuns } from './record.ts';
import { runTrial } from './trial.ts';

const HELP = `Strikes real managers with faults, one in each round, under a load of reads and writes. Needs root.

  npm run reliability                 one trial of 20 rounds
    --managers N    3 (default) or 5, or any other number of at least 3
    --rounds N      rounds (default 20)
    --seconds N     begin no further round after this time
    --seed N        which faults strike in which order (default: another one each time)
    --only TEXT     only faults with this in their name
    --add           add the run to docs/reliability.md`;

const { values } = parseArgs({
  options: {
    managers: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '20' },
    seconds: { type: 'string', default: 'Infinity' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    add: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = values.help ? help() : await main();

function help(): number {
  console.log(HELP);
  return 0;
}

async function main(): Promise<number> {
  const missing = missingForNamespaces();
  if (missing !== undefined) {
    console.error(`reliability: ${missing}`);
    return 1;
  }
  const interrupted = new AbortController();
  const stop = (): void => {
    console.log('interrupted: finishing the round …');
    interrupted.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const run = await runTrial({
    managers: Number(values.managers),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    only: values.only,
    say: (line) => console.log(line),
    signal: interrupted.signal,
  });
  if (values.add) {
    writeRuns([...readRuns(), run]);
    writeFileSync(join(repositoryRoot, 'docs', 'reliability.md'), reliabilityPage(readRuns()));
  }
  const rounds = Object.values(run.rounds).reduce((total, n) => total + n, 0);
  console.log(
    `seed ${run.seed}, ${run.managers} managers: ${rounds} rounds in ${run.seconds} s; ${JSON.stringify(run.tally)}`,
  );
  for (const violation of run.violations) console.log(`VIOLATION: ${violation}`);
  return run.violations.length === 0 ? 0 : 1;
}

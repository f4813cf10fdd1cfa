/** docs/reliability.md, from the runs on record. */
import { FAULTS } from './faults.ts';
import type { Run } from './record.ts';

const sum = (runs: readonly Run[], of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
const roundsOf = (run: Run): number => Object.values(run.rounds).reduce((total, n) => total + n, 0);
const shown = (n: number): string => n.toLocaleString('en');

export function reliabilityPage(runs: readonly Run[]): string {
  const sizes = [...new Set(runs.map(({ managers }) => managers))].sort((a, b) => a - b);
  const total = sum(runs, roundsOf);
  const violations = runs.flatMap(({ seed, managers, violations: found, sequel = '' }) =>
    found.map((text) => `seed ${seed}, ${managers} managers: ${text}. ${sequel}`.trim()),
  );
  const faults = FAULTS.map(({ name }) => [name, ...sizes.map((size) => roundsOfFault(runs, name, size))]);
  return `# Reliability

<!-- Written by \`npm run reliability\`. -->

Real \`swarmd\` processes, each in a network namespace with a small disk of its own, are struck by one fault in each round, while clients read,
write and create objects at whichever manager. A worker runs a service all the time. After each round there must be one leader again, all
managers reachable, and:

- every manager's state has the same hash at the same index;
- every acknowledged create is there;
- the history of all reads and writes since the start is linearizable: no write lost, no stale read;
- no two acknowledged writes replaced the same version, and no create was made twice;
- the service's tasks have the ids and processes they had in the beginning.

An answer that says "not done" must be true: were such a value ever read, the history would not be linearizable. An operation without an answer may
have happened or not.

**${shown(total)} rounds, ${violations.length} violation${violations.length === 1 ? '' : 's'}.** ${sentence(runs)}

${violations.map((text) => `- ${text}\n`).join('')}
| fault | ${sizes.map((size) => `rounds with ${size} managers`).join(' | ')} |
| --- | ${sizes.map(() => '---:').join(' | ')} |
${faults.map((row) => `| ${row.join(' | ')} |`).join('\n')}

| what | ${sizes.map((size) => `${size} managers`).join(' | ')} | all |
| --- | ${sizes.map(() => '---:').join(' | ')} | ---: |
${FIGURES.map(([name, of]) => figureRow(runs, sizes, name, of)).join('\n')}

## Runs

| seed | managers | rounds | commit | date |
| ---: | ---: | ---: | --- | --- |
${runs.map((run) => `| ${run.seed} | ${run.managers} | ${roundsOf(run)} | ${run.commit} | ${run.measuredAt.slice(0, 10)} |`).join('\n')}

A run is repeated with \`npm run reliability -- --managers N --seed SEED\`: the same faults strike in the same order, though not at the same
instants. \`--rounds N\` and \`--seconds N\` say how long it goes on; \`--add\` adds it to this page.
`;
}

const FIGURES: readonly (readonly [string, (run: Run) => number])[] = [
  ['writes acknowledged', (run) => run.tally.acknowledgedWrites],
  ['creates acknowledged', (run) => run.tally.acknowledgedCreates],
  ['reads answered', (run) => run.tally.reads],
  ['answered "not done"', (run) => run.tally.refused],
  ['outcome unknown to the client', (run) => run.tally.unknown],
  ['checks of a running task', (run) => run.tasksChecked],
  ['damaged logs found and repaired', (run) => run.repairs],
  ['seconds', (run) => run.seconds],
];

function figureRow(runs: readonly Run[], sizes: readonly number[], name: string, of: (run: Run) => number): string {
  const cells = sizes.map((size) =>
    shown(
      sum(
        runs.filter(({ managers }) => managers === size),
        of,
      ),
    ),
  );
  return `| ${[name, ...cells, shown(sum(runs, of))].join(' | ')} |`;
}

function roundsOfFault(runs: readonly Run[], name: string, size: number): string {
  return String(
    sum(
      runs.filter(({ managers }) => managers === size),
      (run) => run.rounds[name] ?? 0,
    ),
  );
}

function sentence(runs: readonly Run[]): string {
  const acknowledged = sum(runs, ({ tally }) => tally.acknowledgedWrites + tally.acknowledgedCreates);
  return `${shown(acknowledged)} changes were acknowledged, ${shown(sum(runs, ({ tally }) => tally.reads))} reads answered.`;
}

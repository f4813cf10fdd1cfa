/** `npm run simulate`: runs seeds, and when one fails says how to repeat it and what is the least that still fails. */
import { parseArgs } from 'node:util';
import { outcomeOf, shrink } from './outcome.ts';
import type { Run } from './outcome.ts';
import { FAULTS } from './plan.ts';
import type { Fault } from './plan.ts';

const HELP = `Simulates groups of nodes that fail in every way a seed says, and checks that Raft's properties hold.

  npm run simulate -- --seeds 1..200          run these seeds (default 1..100)
  npm run simulate -- --seed 7 --trace        run one, and print all that happens
    --events N      events of each seed before its faults end (default 15000)
    --seconds N     begin no further seed after this many seconds
    --without A,B   without these faults: ${FAULTS.join(', ')}
    --left 3,8      without these acts, by number
    --no-shrink     do not look for the least that still fails
    --json          print one line of JSON at the end instead of text`;

const SHRINK_RUNS = 120;
const TRACE_LINES = 60;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..100' },
    seed: { type: 'string' },
    events: { type: 'string', default: '15000' },
    seconds: { type: 'string' },
    without: { type: 'string', default: '' },
    left: { type: 'string', default: '' },
    trace: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else process.exitCode = main();

function main(): number {
  const [first, last] = seedRange();
  const deadline = performance.now() + Number(values.seconds ?? Infinity) * 1000;
  const before = process.cpuUsage();
  const totals = new Map<string, number>();
  let hash = 0;
  let seeds = 0;
  let events = 0;
  for (let seed = first; seed <= last && performance.now() < deadline; seed++) {
    const run = runOf(seed);
    const { report, failure } = outcomeOf(run, values.trace ? (line) => console.log(line) : undefined);
    seeds++;
    events += report.events;
    hash = Math.imul(hash ^ report.hash, 0x01000193);
    count(totals, { ...report.counts, elections: report.leadersElected, 'entries applied': report.appliedIndex });
    if (failure === undefined) continue;
    if (values.json) console.log(JSON.stringify({ seed, events, failure: failure.message }));
    else explain(run, failure);
    return 1;
  }
  const { user, system } = process.cpuUsage(before);
  const perSecond = Math.round(events / ((user + system) / 1e6));
  if (values.json) {
    console.log(JSON.stringify({ seeds, events, perSecond, hash: hash >>> 0 }));
    return 0;
  }
  console.log(
    `${seeds} seeds, ${events} events, all properties hold (${perSecond} events per second of processor time, hash ${(hash >>> 0).toString(16)})`,
  );
  console.log([...totals].map(([name, total]) => `${name} ${total}`).join(', '));
  return 0;
}

function explain(run: Run, failure: Error): void {
  console.log(`seed ${run.seed} fails: ${failure.message}`);
  if (failure.name !== 'SafetyViolation') console.log(failure.stack);
  console.log(`repeat it with: npm run simulate -- ${flags(run)} --trace`);
  if (values['no-shrink']) return;
  const least = shrink(run, SHRINK_RUNS);
  const lines: string[] = [];
  const { report, failure: last } = outcomeOf(least, (line) => lines.push(line));
  console.log(`\nthe least that was found to fail (${report.events} events): ${last?.message ?? 'nothing'}`);
  console.log(`repeat it with: npm run simulate -- ${flags(least)} --trace`);
  const acts = lines.filter((line) => line.includes('  act '));
  console.log(`\nits acts:\n${acts.join('\n')}\n\nits last ${TRACE_LINES} lines of ${lines.length}:`);
  console.log(lines.slice(-TRACE_LINES).join('\n'));
}

function flags({ seed, events, without, left }: Run): string {
  return [
    `--seed ${seed}`,
    `--events ${events}`,
    ...(without.length > 0 ? [`--without ${without.join(',')}`] : []),
    ...(left.length > 0 ? [`--left ${left.join(',')}`] : []),
  ].join(' ');
}

function runOf(seed: number): Run {
  const names = values.without.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !(FAULTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`there is no fault "${unknown}"; there are ${FAULTS.join(', ')}`);
  const left = values.left
    .split(',')
    .filter((act) => act !== '')
    .map(Number);
  return { seed, events: number('events', values.events), without: names as Fault[], left };
}

function seedRange(): readonly [number, number] {
  if (values.seed !== undefined) return [number('seed', values.seed), number('seed', values.seed)];
  const [first = '', last = first] = values.seeds.split('..');
  return [number('seeds', first), number('seeds', last)];
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < 0)
    throw new Error(`--${name}: "${text}" is not a whole number`);
  return value;
}

function count(totals: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + value);
}

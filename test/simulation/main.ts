/** `npm run simulate:swarm`: whole swarms in virtual time. Exit code 1 when an invariant broke, with the seed that shows it. */
import { parseArgs } from 'node:util';
import { ACT_NAMES } from './administrator.ts';
import { FAULT_NAMES } from './nemesis.ts';
import { SwarmSimulation } from './simulation.ts';
import { switches } from './switches.ts';

const HELP = `Simulates swarms: the managers' real code on a simulated clock, network and disk, with pretend agents.

  npm run simulate:swarm -- --seeds 1..20     run these seeds (default 1..20)
  npm run simulate:swarm -- --seed 7          run one
    --trace         tell what happens, line by line
    --trouble N     virtual seconds before everything is mended (default 60)
    --seconds N     begin no further seed after this many seconds
    --without A,B   switch faults, or things people do, off
    --only A,B      leave only these on
    --often A,B     have one of these faults strike in many of the seconds
    --faults        print their names`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..20' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    trouble: { type: 'string', default: '60' },
    seconds: { type: 'string', default: 'Infinity' },
    only: { type: 'string', default: '' },
    without: { type: 'string', default: '' },
    often: { type: 'string', default: '' },
    faults: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else if (values.faults) console.log([...FAULT_NAMES, ...ACT_NAMES].join('\n'));
else process.exitCode = await main();

async function main(): Promise<number> {
  const [first = '', last = first] = (values.seed ?? values.seeds).split('..');
  const deadline = performance.now() + Number(values.seconds) * 1000;
  const cpuBefore = process.cpuUsage();
  const totals = { seeds: 0, events: 0, commits: 0, elections: 0, crashes: 0, acknowledged: 0 };
  const trace = values.trace ? console.log : undefined;
  const often = namesIn(values.often);
  const chosen = switches(namesIn(values.only), namesIn(values.without), often);
  let hash = 0;
  for (let seed = Number(first); seed <= Number(last) && performance.now() < deadline; seed++) {
    const report = await new SwarmSimulation(seed, { trace, switches: chosen }).run(Number(values.trouble));
    totals.seeds++;
    for (const name of ['events', 'commits', 'elections', 'crashes', 'acknowledged'] as const)
      totals[name] += report[name];
    hash = Math.imul(hash ^ report.hash, 0x01000193);
    if (report.violations.length === 0) continue;
    if (values.json) console.log(JSON.stringify({ seed, events: totals.events, failure: report.violations[0] }));
    for (const violation of report.violations) console.log(`seed ${seed}: ${violation}`);
    const more = often.length === 0 ? '' : ` --often '${often.join(',')}'`;
    console.log(`repeat it with: npm run simulate:swarm -- --seed ${seed} --trouble ${values.trouble}${more}`);
    return 1;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const perSecond = Math.round(totals.events / ((user + system) / 1e6));
  const counts = Object.entries(totals).map(([name, count]) => `${name} ${count}`);
  if (values.json) console.log(JSON.stringify({ events: totals.events }));
  console.log(`${counts.join(', ')}: all invariants hold`);
  console.log(`${perSecond} events per second of processor time, hash ${(hash >>> 0).toString(16)}`);
  return 0;
}

/** Throws for a name that is none: what is not switched off by a slip would be looked for in vain. */
function namesIn(list: string): readonly string[] {
  const names = list.split(',').filter((name) => name !== '');
  for (const name of names) {
    if (![...FAULT_NAMES, ...ACT_NAMES].includes(name)) throw new Error(`no fault is called "${name}": see --faults`);
  }
  return names;
}

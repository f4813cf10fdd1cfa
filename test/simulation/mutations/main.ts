/** `npm run mutations:swarm`: plants every bug, simulates swarms until an invariant breaks, and writes docs/swarm-mutations.md. Fails if one survives. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SWARM_MUTATIONS } from './catalogue.ts';
import { PatchedSwarm } from './patched-swarm.ts';
import { mutationsPage, type Finding } from './page.ts';

const HELP = `Plants known bugs in a copy of the managers' code, one at a time, and simulates swarms until an invariant breaks.

  npm run mutations:swarm              all of them; writes docs/swarm-mutations.md
    --only TEXT                        those with this in their name; what is known of the others is kept
    --seconds N                        begin no further one after this time; the next call goes on from there
    --list                             print their names`;

const SEEDS = '1..400';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: 'Infinity' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else if (values.list) for (const { name } of SWARM_MUTATIONS) console.log(name);
else process.exitCode = main();

function main(): number {
  const root = resolve('.');
  const deadline = performance.now() + Number(values.seconds) * 1000;
  const keep = join(root, 'dist-test', 'swarm-mutations.json');
  const isSlice = values.seconds !== 'Infinity';
  const isPart = isSlice || values.only !== '';
  const known = isPart && existsSync(keep) ? (JSON.parse(readFileSync(keep, 'utf8')) as Finding[]) : [];
  const found = new Map(known.map((finding) => [finding.name, finding]));
  const copy = new PatchedSwarm(root);
  for (const { name, edits } of SWARM_MUTATIONS.filter((mutation) => mutation.name.includes(values.only))) {
    if (isSlice && values.only === '' && found.has(name)) continue;
    if (performance.now() > deadline) break;
    const finding = { name, ...copy.simulate(edits, SEEDS) };
    found.set(name, finding);
    console.log(
      `${finding.failure === undefined ? 'SURVIVES' : 'found'}: ${name}: ${finding.failure ?? 'nothing'} after ${finding.events} events`,
    );
    writeFileSync(keep, JSON.stringify([...found.values()]));
  }
  const all = SWARM_MUTATIONS.flatMap(({ name }) => found.get(name) ?? []);
  const survivors = all.filter(({ failure }) => failure === undefined);
  console.log(`${all.length} of ${SWARM_MUTATIONS.length} planted, ${survivors.length} survived`);
  if (all.length === SWARM_MUTATIONS.length)
    writeFileSync(join(root, 'docs', 'swarm-mutations.md'), mutationsPage(all));
  return survivors.length === 0 ? 0 : 1;
}

/** `npm run mutations:swarm`: plants every bug, simulates swarms until an invariant breaks, and writes docs/swarm-mutations.md. Fails if one survives. */
import { join } from 'node:path';
import { run } from '../../../src/raft/test/planting/campaign.ts';
import { PatchedCopy } from '../../../src/raft/test/planting/patched-copy.ts';
import { SWARM_MUTATIONS } from './catalogue.ts';
import { mutationsPage, type Finding } from './page.ts';

const SIMULATOR = join('test', 'simulation');
/** What it shares with tests. */
const SUPPORT = join('test', 'support');
const PROGRAM = join('out', SIMULATOR, 'main.js');
const MOST_SEEDS = 800;
const SOUND_SEEDS = 3;

process.exitCode = run({
  command: 'npm run mutations:swarm',
  purpose:
    "Plants known bugs in a copy of the managers' code, one at a time, and simulates swarms until an invariant breaks.",
  mutations: SWARM_MUTATIONS,
  openCopy: openSwarmCopy,
  examine: (copy, mutation): Finding => {
    const { name, often } = mutation;
    return { name, often, ...copy.simulate(PROGRAM, `1..${MOST_SEEDS}`, ...flagsOf(mutation)) };
  },
  examineSound: (copy): readonly Finding[] => [{ name: 'simulation', ...copy.simulate(PROGRAM, `1..${SOUND_SEEDS}`) }],
  breaksAnyway: (copy, finding) => copy.breaksAgain(PROGRAM, finding, ...flagsOf(finding)),
  isFound: ({ failure }) => failure !== undefined,
  describe: ({ events, failure = 'nothing' }) => `${failure} after ${events} events`,
  page: 'swarm-mutations.md',
  write: mutationsPage,
});

function flagsOf({ often }: Pick<Finding, 'often'>): readonly string[] {
  return often === undefined ? [] : ['--often', often];
}

function openSwarmCopy(root: string): PatchedCopy {
  const parts = ['src', SIMULATOR, SUPPORT, 'package.json'].map((part) => [part, part] as const);
  return new PatchedCopy({
    root,
    folder: join('dist-test', 'mutations', 'swarm'),
    parts: [...parts, ['package.json', join('out', 'package.json')]],
    without: join('src', 'raft'),
    compile: {
      compilerOptions: { rootDir: '.', outDir: 'out', declaration: false, sourceMap: false },
      files: [join(SIMULATOR, 'main.ts')],
    },
  });
}

/** `npm run mutations`: plants every bug, sees who finds it, and writes docs/mutations.md. Fails if one survives. */
import { run } from '../planting/campaign.ts';
import { MUTATIONS } from './catalogue.ts';
import { breaksAnyway, examine, examineSound, openRaftCopy } from './detectors.ts';
import { findingsPage, type Findings } from './page.ts';

process.exitCode = run({
  command: 'npm run mutations',
  purpose: 'Plants known bugs in a copy of raft-ts, one at a time, and runs what should find them.',
  mutations: MUTATIONS,
  openCopy: openRaftCopy,
  examine,
  examineSound,
  isFound,
  breaksAnyway,
  describe,
  page: 'mutations.md',
  write: findingsPage,
});

function isFound({ conformance = 0, test, simulation }: Findings): boolean {
  return conformance > 0 || test?.name !== undefined || simulation?.failure !== undefined;
}

function describe({ conformance, test, simulation }: Findings): string {
  const parts = [
    conformance === undefined ? undefined : `${conformance} files`,
    test === undefined ? undefined : (test.name ?? `nothing in ${test.file}`),
    simulation === undefined ? undefined : `${simulation.failure ?? 'nothing'} after ${simulation.events} events`,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

/** The page that says who found which planted bug. */
import type { Simulated } from '../planting/patched-copy.ts';
import { cell, shortCell, thousands } from '../planting/table.ts';

/** What a mutation's detectors said; undefined where one was not asked. */
export interface Findings {
  readonly name: string;
  /** Data files that fail. */
  readonly conformance?: number | undefined;
  /** The first test that fails. */
  readonly test?: { readonly file: string; readonly name?: string | undefined } | undefined;
  readonly simulation?: Simulated | undefined;
}

export function findingsPage(all: readonly Findings[]): string {
  const rows = all.map(({ name, conformance, test, simulation }) => {
    const files = conformance === undefined ? '' : String(conformance);
    const unit = test === undefined ? '' : `${cell(test.name ?? 'nothing')} (\`${test.file}\`)`;
    return `| ${cell(name)} | ${files} | ${unit} | ${simulation === undefined ? '' : simulated(simulation)} |`;
  });
  return `# Planted bugs

<!-- Written by \`npm run mutations\`. -->

Known bugs of Raft implementations, and those found here, are planted in a copy of raft-ts one at a time
(\`src/raft/test/mutations\`), and what should find them is run. \`npm run mutations\` fails if one survives.

- **Data files**: how many of the data files of etcd-io/raft fail.
- **Test**: the first test that fails.
- **Simulation**: simulated events until a property broke, from seed 1 on.

An empty cell: this detector was not asked.

| planted bug | data files | test | simulation |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function simulated({ events, failure }: Simulated): string {
  if (failure === undefined) return `not in ${thousands(events)} events`;
  const [what = ''] = failure.split('\n');
  return `${thousands(events)} events: ${shortCell(what)}`;
}

/** The page that says who found which planted bug. */

/** What a mutation's detectors said; undefined where one was not asked. */
export interface Findings {
  readonly name: string;
  /** Data files that fail. */
  readonly conformance?: number | undefined;
  /** The first test that fails. */
  readonly test?: { readonly file: string; readonly name?: string | undefined } | undefined;
  /** Events until a property broke, or all that were simulated. */
  readonly simulation?: { readonly events: number; readonly failure?: string | undefined } | undefined;
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

function simulated({ events, failure }: NonNullable<Findings['simulation']>): string {
  if (failure === undefined) return `not in ${thousands(events)} events`;
  const [first = ''] = failure.split('\n');
  const text = first.length > 90 ? `${first.slice(0, 87)}…` : first;
  return `${thousands(events)} events: ${cell(text)}`;
}

function thousands(events: number): string {
  return events >= 1000 ? `${Math.round(events / 1000)} k` : String(events);
}

/** Neither ends the cell nor means anything to Markdown. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_');
}

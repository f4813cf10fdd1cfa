/** The page that says what found which bug planted in the managers' code. */
import type { Simulated } from '../../../src/raft/test/planting/patched-copy.ts';
import { cell, shortCell, thousands } from '../../../src/raft/test/planting/table.ts';

export interface Finding extends Simulated {
  readonly name: string;
  /** The fault that struck often. */
  readonly often?: string | undefined;
}

export const mutationsPage = (all: readonly Finding[]): string => `# Bugs planted in the managers' code

<!-- Written by \`npm run mutations:swarm\`. -->

Each of these bugs is planted in a copy of the managers' code (\`test/simulation/mutations\`), and swarms are simulated from seed 1 on
until an [invariant](../test/simulation/README.md) breaks. \`npm run mutations:swarm\` fails if one survives. Those of raft-ts are in
[mutations.md](mutations.md). A few show when things happen at the same time that seldom do: they are looked for where such a fault, named
beside them, strikes often (\`npm run simulate:swarm -- --often FAULT\`).

| planted bug | events | what broke |
| --- | ---: | --- |
${all.map(({ name, often, events, failure }) => `| ${cell(often === undefined ? name : `${name} (often: ${often})`)} | ${thousands(events)} | ${shortCell(failure ?? 'nothing')} |`).join('\n')}
`;

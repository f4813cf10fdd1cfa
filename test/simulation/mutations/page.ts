/** The page that says what found which bug planted in the managers' code. */
import type { Simulated } from '../../../src/raft/test/planting/patched-copy.ts';
import { cell, shortCell, thousands } from '../../../src/raft/test/planting/table.ts';

export interface Finding extends Simulated {
  readonly name: string;
}

export const mutationsPage = (all: readonly Finding[]): string => `# Bugs planted in the managers' code

<!-- Written by \`npm run mutations:swarm\`. -->

Each of these bugs is planted in a copy of the managers' code (\`test/simulation/mutations\`), and swarms are simulated from seed 1 on
until an [invariant](../test/simulation/README.md) breaks. \`npm run mutations:swarm\` fails if one survives. Those of raft-ts are in
[mutations.md](mutations.md).

| planted bug | events | what broke |
| --- | ---: | --- |
${all.map(({ name, events, failure }) => `| ${cell(name)} | ${thousands(events)} | ${shortCell(failure ?? 'nothing')} |`).join('\n')}
`;

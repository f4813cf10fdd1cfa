/** The page that says what found which bug planted in the managers' code. */

export interface Finding {
  readonly name: string;
  /** Simulated until an invariant broke, or in all. */
  readonly events: number;
  readonly failure?: string | undefined;
}

const LONGEST = 110;

export const mutationsPage = (all: readonly Finding[]): string => `# Bugs planted in the managers' code

<!-- Written by \`npm run mutations:swarm\`. -->

Each of these bugs is planted in a copy of the managers' code (\`test/simulation/mutations\`), and swarms are simulated from seed 1 on
until an [invariant](../test/simulation/README.md) breaks. \`npm run mutations:swarm\` fails if one survives. Those of raft-ts are in
[mutations.md](mutations.md).

| planted bug | events | what broke |
| --- | ---: | --- |
${all.map(({ name, events, failure }) => `| ${cell(name)} | ${Math.ceil(events / 1000)} k | ${cell(failure ?? 'nothing')} |`).join('\n')}
`;

/** One line, not too long, in which nothing means anything to Markdown. */
function cell(text: string): string {
  const line = text.replaceAll('\n', ' ');
  const short = line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
  return short.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_');
}

/** `npm run simulate:disk`: does single faults to logs and snapshots, and says what their next start made of them. */
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';
import { makeSubjects } from './subjects.ts';

const { values } = parseArgs({
  options: { faults: { type: 'string', default: '10000' }, first: { type: 'string', default: '1' } },
});
const { counts, wrong } = await runCampaign(await makeSubjects(), Number(values.first), Number(values.faults));
for (const line of wrong) console.log(line);
console.log(
  `${values.faults} faults: ${Object.entries(counts)
    .map(([verdict, count]) => `${verdict} ${count}`)
    .join(', ')}, wrong ${wrong.length}`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** How long a Docker Engine takes to join our managers: `docker swarm join`, and until it is ready and given its first task. */
import { EngineLab } from '../test/support/engine-lab.ts';
import { missingForDocker } from './support/needs.ts';
import { report, type Findings } from './support/report.ts';
import { median, worst } from './support/statistics.ts';
import { until } from './support/waiting.ts';

const ROUNDS = 10;

async function measure(): Promise<Findings> {
  const lab = await EngineLab.start(1, [{}]);
  try {
    const [engine] = lab.engines;
    if (!engine) throw new Error('the lab has no engine');
    const [joined, ready]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      const before = await lab.nodeIdOf(engine);
      await engine.docker('swarm', 'leave');
      await lab.docker('node', 'rm', '--force', before);
      const token = await lab.token('worker');
      const startMs = performance.now();
      await lab.join(engine, token);
      joined.push(performance.now() - startMs);
      await until('a ready node', async () => (await lab.node(engine)).Status.State === 'ready');
      ready.push(performance.now() - startMs);
    }
    return {
      figures: [
        { what: '`docker swarm join` of an engine, median', value: median(joined) / 1000, unit: 's', limit: 1 },
        { what: '`docker swarm join` of an engine, worst', value: worst(joined) / 1000, unit: 's' },
        { what: 'until the engine is ready, median', value: median(ready) / 1000, unit: 's', limit: 1 },
      ],
      notes: [`${ROUNDS} joins of one engine; the times include starting the docker CLI once or twice.`],
    };
  } finally {
    await lab.close();
  }
}

const missing = missingForDocker();
if (missing === undefined) await report('join', 'Join: a Docker Engine joins our managers', measure);
else console.log(`Join: not measured: ${missing}`);

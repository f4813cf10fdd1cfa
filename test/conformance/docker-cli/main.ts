/**
 * `npm run conformance:docker-cli -- [DIR] [options]`: plays docker CLI scenarios against a swarm of our own whose nodes
 * run containers on real engines, and compares with what a real Docker Swarm answered (DIR/ref). DIR is this folder unless
 * given. `--record` plays them on a Docker Swarm and writes DIR/ref; `--differential` (`npm run differential:docker-cli`)
 * plays them on both, now, and compares the two. Exit code 1 when something differs in more than the words of
 * errors, or when a scenario did not do on the Docker Swarm what it was meant to.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DockerSwarm } from '../../support/docker-swarm.ts';
import { ReferenceSwarm } from '../../support/reference-swarm.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { lacking } from '../../support/requirements.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { compare, isUsable, normalise, type Verdict } from './normalise.ts';
import { optionsOf, type Options } from './options.ts';
import { play } from './play.ts';
import { withResults, type ScenarioResult } from './report.ts';
import { readScenarios, type Scenario } from './scenario.ts';

const OWN_FOLDER = join(repositoryRoot, 'test', 'conformance', 'docker-cli');

/** Whatever else comes out of a comparison ends the run with an error. */
const GOOD: ReadonlySet<string> = new Set(['pass', 'loose', 'skip'] satisfies (Verdict | 'skip')[]);

interface Swarm {
  readonly host: string;
  close(): Promise<void>;
}

/** What a scenario printed on a cluster, normalised; undefined when the cluster has too few nodes. */
type Outputs = ReadonlyMap<string, string | undefined>;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const missing = lacking('root', 'docker', 'dockerd', 'ip', 'busybox');
  if (missing !== undefined) {
    console.error(`the scenarios cannot run here: ${missing}`);
    return 2;
  }
  const folder = resolve(options.folder ?? OWN_FOLDER);
  const scenarios = await readScenarios(folder, options.only, options.skip);
  const out = options.out ?? (await mkdtemp(join(tmpdir(), 'swarmd-scenarios-')));
  try {
    if (options.mode === 'record') {
      return await record(scenarios, folder, await playedOn('reference', scenarios, folder, options, out));
    }
    const reference =
      options.mode === 'differential'
        ? await playedOn('reference', scenarios, folder, options, out)
        : await recorded(scenarios, folder);
    return await judge(scenarios, reference, await playedOn('ours', scenarios, folder, options, out), options, out);
  } finally {
    if (options.out === undefined) await rm(out, { recursive: true, force: true });
  }
}

/** Plays all on one swarm, made for it; keeps what was printed, raw and normalised, in a folder below `out`. */
async function playedOn(
  side: 'ours' | 'reference',
  scenarios: readonly Scenario[],
  folder: string,
  { nodes }: Options,
  out: string,
): Promise<Outputs> {
  const directory = join(out, side);
  const client = join(out, 'client');
  for (const made of [directory, client]) await mkdir(made, { recursive: true });
  const swarm: Swarm = side === 'ours' ? await DockerSwarm.start(nodes) : await ReferenceSwarm.start(nodes);
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const outputs = new Map<string, string | undefined>();
  try {
    const cluster = await ClusterUnderTest.at(swarm.host, client);
    for (const scenario of scenarios) {
      if (interrupted.signal.aborted) throw new Error('interrupted');
      if (scenario.nodes > nodes) {
        outputs.set(scenario.name, undefined);
        continue;
      }
      await cluster.clean();
      const began = Date.now();
      const raw = await play(scenario, folder, cluster);
      const text = normalise(raw, cluster.own);
      await writeFile(join(directory, `${scenario.name}.raw`), raw);
      await writeFile(join(directory, `${scenario.name}.txt`), text);
      outputs.set(scenario.name, text);
      const flaw = isUsable(text) ? '' : ' (something inside failed or timed out)';
      console.log(`${side.padEnd(10)} ${scenario.name}  ${((Date.now() - began) / 1000).toFixed(1)} s${flaw}`);
    }
    return outputs;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    await swarm.close();
  }
}

async function recorded(scenarios: readonly Scenario[], folder: string): Promise<Outputs> {
  const read = ({ name }: Scenario): Promise<string | undefined> =>
    readFile(referenceFile(folder, name), 'utf8').catch(() => undefined);
  return new Map(await Promise.all(scenarios.map(async (scenario) => [scenario.name, await read(scenario)] as const)));
}

async function record(scenarios: readonly Scenario[], folder: string, outputs: Outputs): Promise<number> {
  const before = await recorded(scenarios, folder);
  await mkdir(join(folder, 'ref'), { recursive: true });
  let unusable = 0;
  for (const [name, text] of outputs) {
    if (text === undefined) continue;
    const had = before.get(name);
    const found = !isUsable(text) ? 'UNUSABLE' : had === undefined ? 'RECORDED' : had === text ? 'SAME' : 'CHANGED';
    console.log(`${found.padEnd(10)} ${name}`);
    if (found === 'UNUSABLE') {
      unusable++;
      console.log(text);
    } else {
      await writeFile(referenceFile(folder, name), text);
    }
  }
  return unusable === 0 ? 0 : 1;
}

async function judge(
  scenarios: readonly Scenario[],
  reference: Outputs,
  actual: Outputs,
  { nodes, writesDocs }: Options,
  out: string,
): Promise<number> {
  const results: (ScenarioResult & { readonly verdict: Verdict | 'skip' })[] = [];
  for (const { name, title } of scenarios) {
    const text = actual.get(name);
    const verdict = text === undefined ? 'skip' : compare(reference.get(name), text);
    results.push({ name, title, verdict });
    console.log(`${verdict.toUpperCase().padEnd(10)} ${name}`);
    if (verdict === 'fail' || verdict === 'loose') await showDifference(out, reference.get(name) ?? '', text ?? '');
  }
  const count = (verdict: string): string =>
    `${results.filter((result) => result.verdict === verdict).length} ${verdict}`;
  console.log(['pass', 'loose', 'fail', 'noref', 'unusable', 'skip'].map(count).join(', '));
  if (writesDocs) {
    const document = join(repositoryRoot, 'docs', 'compatibility.md');
    await writeFile(document, withResults(await readFile(document, 'utf8'), nodes, results));
  }
  return results.every(({ verdict }) => GOOD.has(verdict)) ? 0 : 1;
}

async function showDifference(out: string, reference: string, actual: string): Promise<void> {
  const files = [join(out, 'reference.txt'), join(out, 'actual.txt')] as const;
  await writeFile(files[0], reference);
  await writeFile(files[1], actual);
  spawnSync('diff', ['-u', '--label', 'reference', '--label', 'ours', ...files], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function referenceFile(folder: string, name: string): string {
  return join(folder, 'ref', `${name}.txt`);
}

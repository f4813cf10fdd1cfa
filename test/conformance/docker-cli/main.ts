/**
 * `npm run conformance:docker-cli -- DIR [options]`: plays the docker CLI scenarios in DIR against a swarm of our own whose
 * nodes run containers on real engines. DIR holds `run.mjs`, which compares with what Docker Swarm answered; options
 * other than `--nodes N` (default 1) are passed on to it, for example `--only REGEX`. With `--write-docs` the results go into
 * docs/compatibility.md. Exit code: that of the runner.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lacking } from '../../support/requirements.ts';
import { DockerSwarm } from '../../support/docker-swarm.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { withResults, type ScenarioResult } from './report.ts';

const [folder, ...given] = process.argv.slice(2);
if (folder === undefined || folder.startsWith('-')) {
  console.error(
    'usage: npm run conformance:docker-cli -- DIR [--nodes N] [--write-docs] [--only REGEX] [--out DIR] [--json FILE] …',
  );
  process.exit(2);
}
const missing = lacking('root', 'docker', 'dockerd', 'ip', 'busybox');
if (missing !== undefined) {
  console.error(`the scenarios cannot run here: ${missing}`);
  process.exit(2);
}

const writesDocs = given.includes('--write-docs');
const { nodes, options } = takeNodes(given.filter((option) => option !== '--write-docs'));
const swarm = await DockerSwarm.start(nodes);
const out = await mkdtemp(join(tmpdir(), 'swarmd-scenarios-'));
const json = join(out, 'results.json');
const runner = spawn(
  process.execPath,
  [join(folder, 'run.mjs'), '--host', swarm.first.host, '--out', out, '--loose', '--json', json, ...options],
  { stdio: 'inherit' },
);
const code = await new Promise<number>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      runner.kill('SIGKILL');
      resolve(130);
    });
  }
  runner.once('exit', (exitCode) => resolve(exitCode ?? 1));
});
await swarm.close();
if (writesDocs) await writeDocs();
await rm(out, { recursive: true, force: true });
process.exit(code);

async function writeDocs(): Promise<void> {
  const { results } = JSON.parse(await readFile(json, 'utf8')) as { readonly results: readonly ScenarioResult[] };
  const document = join(repositoryRoot, 'docs', 'compatibility.md');
  await writeFile(document, withResults(await readFile(document, 'utf8'), nodes, results));
}

function takeNodes(args: readonly string[]): { readonly nodes: number; readonly options: readonly string[] } {
  const at = args.indexOf('--nodes');
  if (at < 0) return { nodes: 1, options: args };
  const nodes = Number(args[at + 1]);
  if (!Number.isInteger(nodes) || nodes < 1) {
    console.error('--nodes: give a whole number from 1');
    process.exit(2);
  }
  return { nodes, options: args.toSpliced(at, 2) };
}

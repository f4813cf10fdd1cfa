/** raft-ts as somebody gets it who installs it: packed, alone, in an empty project. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'raft-package-'));

function npm(folder: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`);
}

function run(name: string, source: string): string {
  writeFileSync(join(project, name), source);
  const { status, stdout, stderr } = spawnSync(process.execPath, [name], { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function readmeExample(): string {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
  return /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
}

beforeAll(() => {
  npm(PACKAGE, 'pack', '--pack-destination', project);
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  npm(project, 'install', `./${tarball}`);
}, 60_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('the packed package', () => {
  it('brings nothing else with it', () => {
    const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['raft-ts']);
    const content = readdirSync(join(project, 'node_modules', 'raft-ts'));
    expect(content.sort()).toEqual(['API.md', 'LICENSE', 'README.md', 'dist', 'package.json']);
  });

  it('runs the example of its README: three nodes agree', () => {
    expect(readmeExample().split('\n').length).toBeLessThanOrEqual(30);
    const lines = run('example.js', readmeExample()).trim().split('\n');
    for (const id of ['1', '2', '3']) expect(lines).toContain(`node ${id} applies 3`);
  });

  it('writes a log and finds it again', () => {
    const output = run(
      'log.js',
      `import { DurableLog, EntryType } from 'raft-ts';
       const options = { directory: 'log', clusterId: 'c', nodeId: '1', onFatal: (error) => { throw error; } };
       const log = await DurableLog.open(options);
       const entry = { type: EntryType.Normal, term: 1, index: 1, data: new TextEncoder().encode('hello') };
       await new Promise((done) => log.append({ entries: [entry], hardState: { term: 1, vote: '1', commit: 1 } }, done));
       await log.close();
       const again = await DurableLog.open(options);
       console.log(new TextDecoder().decode(again.entries(1, 2, Infinity)[0].data));
       await again.close();`,
    );
    expect(output.trim()).toBe('hello');
  });

  it('simulates its own group', () => {
    const output = run(
      'simulation.js',
      `import { Simulation } from 'raft-ts/testing';
       console.log(new Simulation({ seed: 1 }).run(2000).events);`,
    );
    expect(output.trim()).toBe('2000');
  });
});

describe('API.md', () => {
  it('says what every public name is', () => {
    const text = readFileSync(join(PACKAGE, 'API.md'), 'utf8');
    const names = ['index.ts', 'testing/index.ts'].flatMap((file) => exportedNames(join(PACKAGE, 'src', file)));
    expect(names.length).toBeGreaterThan(80);
    for (const name of names) expect(text, name).toMatch(new RegExp(`\`${name}\`.*\\| \\S`));
  });
});

function exportedNames(file: string): string[] {
  const lists = readFileSync(file, 'utf8').matchAll(/export (?:type )?\{([^}]*)\}/g);
  return [...lists]
    .flatMap(([, list = '']) => list.split(',').map((name) => name.trim()))
    .filter((name) => name !== '');
}

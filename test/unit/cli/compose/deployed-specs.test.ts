/** What the swarm holds of a stack is the same whether `docker stack deploy` or `swarmctl stack deploy` made it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cliRig } from '../../../support/cli.ts';
import { describeWith } from '../../../support/requirements.ts';
import { VARIED_STACKS } from './varied-stacks.ts';

type Rig = Awaited<ReturnType<typeof cliRig>>;
/** By kind and name. */
type Held = Readonly<Record<string, unknown>>;

const ENVIRONMENT = { FROM_OUTSIDE: 'outside', TAG: '7', EMPTY: '' };

let folder: string;
let rig: Rig;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stack-'));
  writeFileSync(join(folder, 'web.env'), 'A=web\n# a comment\nB=web\nFROM_OUTSIDE\nNOT_THERE\n');
  writeFileSync(join(folder, 'more.env'), 'A=more\nQUOTED="a b"\n');
  writeFileSync(join(folder, 'password.txt'), 'secret');
  writeFileSync(join(folder, 'app.conf'), 'config');
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
  rig = await cliRig();
  await rig.run('network', 'create', '--attachable', 'outside');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rig.close();
  rmSync(folder, { recursive: true });
});

const docker = (...args: readonly string[]): Promise<unknown> =>
  promisify(execFile)('docker', ['-H', rig.host, 'stack', ...args], {
    env: { ...process.env, DOCKER_CLI_HINTS: 'false' },
  });

interface Listed {
  readonly ID?: string;
  readonly Id?: string;
  readonly Name?: string;
  readonly Spec?: { readonly Name: string };
}

/** Every object of the stack, with names in the place of ids and without what the swarm itself chose. */
async function held(): Promise<Held> {
  const kinds = ['networks', 'secrets', 'configs', 'services'] as const;
  const lists = await Promise.all(
    kinds.map(
      async (kind) => [kind, (await rig.call('GET', `/${kind}`)).json as unknown as readonly Listed[]] as const,
    ),
  );
  const nameOf = (object: Listed): string => object.Spec?.Name ?? object.Name ?? '';
  const names = new Map(
    lists.flatMap(([, list]) => list.map((object) => [object.ID ?? object.Id ?? '', nameOf(object)] as const)),
  );
  const named = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'string' ? (names.get(inner) ?? inner) : inner)),
    );
  return Object.fromEntries(
    lists.flatMap(([kind, list]) =>
      list.map((object) => {
        const { Id: _id, Created: _created, ...network } = object as unknown as Record<string, unknown>;
        return [`${kind} ${nameOf(object)}`, named(object.Spec ?? network)];
      }),
    ),
  );
}

describeWith(['docker'], 'a stack deployed by swarmctl is that of the docker CLI', () => {
  it.each(VARIED_STACKS)('$name', async ({ texts }) => {
    const files = texts.map((text, i) => join(folder, `compose${i}.yaml`));
    for (const [i, file] of files.entries()) writeFileSync(file, texts[i] ?? '');
    const options = files.flatMap((file) => ['-c', file]);

    await docker('deploy', '--detach', '--resolve-image', 'never', ...options, 'st');
    const byDocker = await held();
    expect(Object.keys(byDocker)).toContainEqual(expect.stringMatching(/^services st_/));

    const again = await rig.run('stack', 'deploy', '--detach', ...options, 'st');
    expect(again.stdout).not.toMatch(/Creating|Updating/);

    await docker('rm', '--detach', 'st');
    expect(await rig.run('stack', 'deploy', '--detach', ...options, 'st')).toMatchObject({ code: 0 });
    expect(await held()).toEqual(byDocker);
  });
});

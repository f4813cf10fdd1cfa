import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../src/cli/client.ts';
import type { OutputOptions } from '../../../src/cli/output.ts';
import { rowChanges } from '../../../src/cli/watch/row-changes.ts';
import { watchListing } from '../../../src/cli/watch/watch-listing.ts';
import { cliRig, TestTerminal } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';

interface Named {
  readonly ID: string;
  readonly Spec: { readonly Name: string };
}

let rig: Awaited<ReturnType<typeof cliRig>>;
let stop: AbortController;
beforeEach(async () => {
  rig = await cliRig();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rig.close();
});

function watch(terminal: TestTerminal, output: OutputOptions = { output: 'table' }): Promise<void> {
  const client = new ApiClient({ host: rig.host });
  const load = async () => ({
    items: await client.get<readonly Named[]>('/services'),
    id: (s: Named) => s.ID,
    name: (s: Named) => s.Spec.Name,
    columns: [{ header: 'NAME', value: (s: Named) => s.Spec.Name }],
  });
  return watchListing({ client, terminal, output }, { kinds: ['service'], load }, stop.signal);
}
const create = (name: string) => rig.run('service', 'create', '--detach', '--name', name, 'host', 'true');

describe('--watch', () => {
  it('prints each row that is new, changed or gone where nobody looks', async () => {
    await create('first');
    const terminal = new TestTerminal();
    const done = watch(terminal);
    await eventually(() => terminal.stdout === 'added    first\n');
    await create('second');
    await eventually(() => terminal.stdout.endsWith('added    second\n'));
    await rig.run('service', 'rm', 'first');
    await eventually(() => terminal.stdout.endsWith('removed  first\n'));
    stop.abort();
    await done;
    expect(terminal.stdout).not.toContain('\u001b');
  });

  it('prints whole objects as JSON, one on a line', async () => {
    const terminal = new TestTerminal();
    const done = watch(terminal, { output: 'json' });
    await create('one');
    await eventually(() => terminal.stdout.endsWith('\n'));
    expect(JSON.parse(terminal.stdout)).toMatchObject({ action: 'added', object: { Spec: { Name: 'one' } } });
    stop.abort();
    await done;
  });

  it('draws the table anew on a screen, as much as fits', async () => {
    const terminal = new TestTerminal({ screenLines: 4 });
    const done = watch(terminal);
    for (const name of ['a', 'b', 'c', 'd']) await create(name);
    await eventually(() => terminal.stdout.endsWith('… 3 more\n'));
    expect(terminal.stdout).toContain('\u001b[H\u001b[2JNAME\n');
    stop.abort();
    await done;
  });

  it('goes on after the manager was away', async () => {
    const terminal = new TestTerminal();
    const done = watch(terminal);
    await create('before');
    await eventually(() => terminal.stdout.includes('before'));
    rig.setNode({}, false);
    await rig.api.close();
    await eventually(() => terminal.stderr.includes('trying again'));
    stop.abort();
    await done;
  });

  it('fails at once when nobody is there', async () => {
    await rig.api.close();
    await expect(watch(new TestTerminal())).rejects.toThrow('cannot reach swarmd');
  });
});

describe('rows that changed', () => {
  it('are told by what people see', () => {
    const before = new Map([
      ['1', 'a'],
      ['2', 'b'],
      ['3', 'c'],
    ]);
    const rows = [
      { id: '4', text: 'd' },
      { id: '2', text: 'B' },
      { id: '3', text: 'c' },
    ];
    expect(rowChanges(before, rows)).toEqual([
      { action: 'removed', id: '1', text: 'a' },
      { action: 'added', id: '4', text: 'd' },
      { action: 'changed', id: '2', text: 'B' },
    ]);
  });
});

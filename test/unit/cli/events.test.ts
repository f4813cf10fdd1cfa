import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { swarmctl } from '../../support/cli.ts';

const EVENT = {
  Type: 'service',
  Action: 'create',
  Actor: { ID: 'abc', Attributes: { name: 'größe' } },
  timeNano: 1_700_000_000_000_000_000,
};

describe('swarmctl events', () => {
  let folder: string;
  let host: string;
  /** Sends one event, a byte at a time, and ends. */
  const server = createServer((_request, response) => {
    void (async () => {
      for (const byte of Buffer.from(`${JSON.stringify(EVENT)}\n`)) {
        response.write(Buffer.of(byte));
        await nextTurn();
      }
      response.end();
    })();
  });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'swarmctl-events-'));
    host = join(folder, 'api.sock');
    await new Promise<void>((resolve) => server.listen(host, resolve));
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  it.each([
    [[], '2023-11-14T22:13:20.000Z service create abc (name=größe)\n'],
    [['--output', 'json'], `${JSON.stringify(EVENT)}\n`],
    [
      ['--output', 'yaml'],
      /^---\nType: service\nAction: create\nActor:\n {2}ID: abc\n {2}Attributes:\n {4}name: größe\n/,
    ],
    [['--format', '{{.Actor.Attributes.name}}'], 'größe\n'],
  ])('%j', async (flags, wanted) => {
    const { code, stdout } = await swarmctl(['--host', host, 'events', ...flags]);
    expect(code).toBe(0);
    expect(stdout).toEqual(typeof wanted === 'string' ? wanted : expect.stringMatching(wanted));
  });
});

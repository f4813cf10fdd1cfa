import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LogFatalError } from '../../src/log/errors.ts';
import { aDirectory, anEntry, append, contents, openLog } from './support.ts';

/** Appends numbered entries for ever and prints the number of each one that is durable. */
const CHILD = `
  import { DurableLog } from '${new URL('../../dist/log/durable-log.js', import.meta.url).href}';
  const log = await DurableLog.open({ directory: process.argv[1], clusterId: 'cluster', nodeId: '1', segmentBytes: 65536, onFatal: (error) => { throw error; } });
  let index = log.lastIndex();
  const next = () => {
    const mine = ++index;
    log.append({ entries: [{ type: 0, term: 1, index: mine, data: Buffer.from('entry ' + mine) }] }, () => {
      process.stdout.write(mine + '\\n');
      next();
    });
  };
  for (let i = 0; i < 8; i++) next();
`;

describe('a process that uses a log', () => {
  it('loses nothing that was durable when it is killed', async () => {
    const directory = aDirectory();
    let durable = 0;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let printed = '';
      child.stdout.on('data', (data: Buffer) => {
        printed += data.toString();
        if (printed.length > 8000) child.kill('SIGKILL');
      });
      await once(child, 'exit');
      durable = Math.max(durable, ...printed.split('\n').slice(0, -1).map(Number));
      expect(durable).toBeGreaterThan(100);
      const log = await openLog(directory);
      const found = contents(log);
      expect(found.last).toBeGreaterThanOrEqual(durable);
      expect(found.texts).toEqual(
        Array.from({ length: found.last }, (_, i) => `${String(i + 1)}/1:entry ${String(i + 1)}`),
      );
      await log.close();
    }
  }, 30_000);

  it('is told once that the log failed, and nothing is acknowledged after that', async () => {
    const directory = aDirectory();
    const errors: Error[] = [];
    const log = await openLog(directory, { onFatal: (error) => errors.push(error) });
    await append(log, { entries: [anEntry(1)] });
    rmSync(directory, { recursive: true, maxRetries: 10 });
    let acknowledged = 1;
    for (let index = 2; index < 60; index++) {
      log.append({ entries: [anEntry(index, 1, 'x'.repeat(4000))] }, () => {
        acknowledged = index;
      });
    }
    while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const then = acknowledged;
    log.append({ entries: [anEntry(60)] }, () => {
      acknowledged = 60;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(errors).toEqual([expect.any(LogFatalError)]);
    expect(acknowledged).toBe(then);
    await log.close();
  });
});

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DurableLogOptions } from '../../src/log/durable-log-options.ts';
import type { DurableLog } from '../../src/log/durable-log.ts';
import { DiskFullError } from '../../src/log/errors.ts';
import { anEntry, append, confState, contents, hardState, openLog } from './support.ts';

/** A folder for a log on a file system of its own with this many KiB. Skips the test where none can be mounted. */
function onSmallDisk(kibibytes: number, skip: (why: string) => never): string {
  const directory = mkdtempSync(join(tmpdir(), 'raft-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(kibibytes)}k`, 'tmpfs', directory], { stdio: 'pipe' });
  } catch (error) {
    rmdirSync(directory);
    return skip(`no file system can be mounted here: ${(error as Error).message}`);
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', directory]);
    rmdirSync(directory);
  });
  const log = join(directory, 'log');
  mkdirSync(log);
  return log;
}

/** Opens a log that has one entry, and the space it reserves. */
async function openWithReserve(directory: string, options: Partial<DurableLogOptions> = {}): Promise<DurableLog> {
  const log = await openLog(directory, options);
  await append(log, { entries: [anEntry(1)], hardState: hardState(1) });
  await new Promise((resolve) => setTimeout(resolve, 200));
  return log;
}

/** Takes all space that is left beside a log; returns how to give it back. */
function fillBeside(directory: string): () => void {
  const path = join(dirname(directory), 'ballast');
  const fd = openSync(path, 'w');
  const block = new Uint8Array(4096).fill(1);
  try {
    for (;;) writeSync(fd, block);
  } catch {
    closeSync(fd);
  }
  return () => rmSync(path);
}

async function eventually(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not reached: ${what}`);
}

/** Appends entries 2 to 40, which are more than there is room for; returns how to learn which is the last that is durable. */
async function appendUntilFull(log: DurableLog): Promise<() => number> {
  let durable = 1;
  for (let index = 2; index <= 40; index++) {
    log.append({ entries: [anEntry(index, 1, 'x'.repeat(8000))] }, () => {
      durable = index;
    });
  }
  await eventually('full', () => log.isDiskFull);
  // The reserve still takes some more, then everything waits.
  await new Promise((resolve) => setTimeout(resolve, 700));
  return () => durable;
}

describe('a full disk', () => {
  it('is reported, loses nothing, and appends go on when space is back', async ({ skip }) => {
    const directory = onSmallDisk(1024, skip);
    const reports: string[] = [];
    const log = await openWithReserve(directory, {
      onDiskFull: (error) => {
        expect(error).toBeInstanceOf(DiskFullError);
        reports.push('full');
      },
      onDiskRoom: () => reports.push('room'),
    });
    const free = fillBeside(directory);
    const durable = await appendUntilFull(log);
    expect(durable()).toBeGreaterThan(8);
    expect(durable()).toBeLessThan(40);
    await expect(
      log.createSnapshot({ index: 5, term: 1, confState: confState('1') }, [new Uint8Array(100_000)]),
    ).rejects.toThrow(DiskFullError);
    expect(reports).toEqual(['full']);
    free();
    await eventually('all durable', () => durable() === 40);
    await eventually('room', () => !log.isDiskFull);
    expect(reports).toEqual(['full', 'room']);
    const before = contents(log);
    await log.close();
    expect(contents(await openLog(directory))).toEqual(before);
  });

  it('keeps what was durable when the process dies meanwhile', async ({ skip }) => {
    const directory = onSmallDisk(512, skip);
    const log = await openWithReserve(directory);
    const free = fillBeside(directory);
    const durable = await appendUntilFull(log);
    await log.abandon();
    free();
    const again = await openLog(directory);
    expect(again.lastIndex()).toBe(durable());
    expect(again.entries(2, 3, Infinity)).toEqual([anEntry(2, 1, 'x'.repeat(8000))]);
  });

  it('does not keep a log from being opened and closed', async ({ skip }) => {
    const directory = onSmallDisk(512, skip);
    const log = await openWithReserve(directory);
    await log.close();
    rmSync(join(directory, 'reserve'));
    fillBeside(directory);
    const again = await openLog(directory);
    await append(again, { entries: [anEntry(2)] });
    await eventually('full', () => again.isDiskFull);
    await again.close();
    expect((await openLog(directory)).lastIndex()).toBe(2);
  });
});

import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../src/common/clock.ts';
import { createLogger, silentLogger } from '../../../src/common/log.ts';
import { TaskState, TaskStatus } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { NO_RESTARTS } from '../../../src/worker/local-restart.ts';
import type { BookEntry } from '../../../src/worker/task-book.ts';
import { FileTaskBook } from '../../../src/worker/task-book-file.ts';
import { assignedTask } from '../../support/worker-builders.ts';

let dir: string;
const file = (): string => path.join(dir, 'tasks.log');
const clock = new FakeClock();
const open = (): FileTaskBook => new FileTaskBook({ dir, clock, log: silentLogger });
const entry = (id: string, state: keyof typeof TaskState = 'RUNNING'): BookEntry => ({
  task: assignedTask(id),
  status: TaskStatus.fromPartial({ state: TaskState[state], message: 'as told' }),
  isAssigned: true,
  restarts: NO_RESTARTS,
});
const known = (book: FileTaskBook): readonly (readonly [string, number])[] =>
  book.entries().map(({ task, status }) => [task.id, status.state] as const);

const linkOf = (fd: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
};

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'swarmd-book-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the task book', () => {
  it('remembers tasks, their newest status and what was withdrawn', async () => {
    const book = open();
    const first = entry('t1', 'ASSIGNED');
    book.put(first);
    book.put({ ...first, status: TaskStatus.fromPartial({ state: TaskState.RUNNING }) });
    book.put(entry('t2'));
    book.put({ ...entry('t3'), isAssigned: false, restarts: { count: 2, timesMs: [1, 2] } });
    book.delete('t2');
    await book.close();
    const again = open();
    expect(known(again)).toEqual([
      ['t1', TaskState.RUNNING],
      ['t3', TaskState.RUNNING],
    ]);
    expect(again.entries()[0]?.task).toEqual(first.task);
    expect(again.entries()[1]).toMatchObject({ isAssigned: false, restarts: { count: 2, timesMs: [1, 2] } });
    await again.close();
  });

  it('loses nothing that was put when the agent is killed without closing it', () => {
    open().put(entry('t1'));
    expect(known(open())).toEqual([['t1', TaskState.RUNNING]]);
  });

  it('drops a last line torn by a crash', async () => {
    const book = open();
    book.put(entry('t1'));
    book.put(entry('t2'));
    await book.close();
    writeFileSync(file(), readFileSync(file(), 'latin1').slice(0, -20));
    expect(known(open())).toEqual([['t1', TaskState.RUNNING]]);
  });

  it('skips a damaged line, says so with file and line, and goes on', async () => {
    const book = open();
    for (const id of ['t1', 't2', 't3']) book.put(entry(id));
    await book.close();
    const lines = readFileSync(file(), 'latin1').split('\n');
    lines[1] = (lines[1] ?? '').replace(/.$/, '!');
    writeFileSync(file(), lines.join('\n'));
    const said: string[] = [];
    const log = createLogger({ level: 'error', destination: { write: (line) => void said.push(line) } });
    const again = new FileTaskBook({ dir, clock, log });
    expect(known(again).map(([id]) => id)).toEqual(['t1', 't3']);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('"line":2');
    expect(said[0]).toContain('damaged line');
  });

  it('starts empty from a file that is no task book at all', () => {
    writeFileSync(file(), Buffer.from([0, 255, 10, 13, 10, 1, 2, 3]));
    expect(known(open())).toEqual([]);
  });

  it('says which folder cannot be used', () => {
    writeFileSync(file(), '');
    dir = file();
    expect(open).toThrow(/cannot keep the task book in .*tasks\.log/);
    dir = path.dirname(dir);
  });

  it('goes on when it cannot be written, and is complete again once it can', async () => {
    const book = open();
    book.put(entry('t1'));
    const one = entry('t2');
    // The file is taken away under it: closing what it writes to makes every write fail.
    closeSync(Number(readdirSync('/proc/self/fd').find((fd) => linkOf(fd) === file())));
    book.put(one);
    book.put({ ...one, status: TaskStatus.fromPartial({ state: TaskState.FAILED }) });
    expect(known(open())).toEqual([
      ['t1', TaskState.RUNNING],
      ['t2', TaskState.FAILED],
    ]);
  });

  it('does not grow without end', async () => {
    const book = open();
    const one = entry('t1');
    for (let n = 0; n < 5000; n++) book.put({ ...one, status: TaskStatus.fromPartial({ state: TaskState.RUNNING }) });
    await book.close();
    expect(statSync(file()).size).toBeLessThan(200_000);
    appendFileSync(file(), '');
    expect(known(open())).toEqual([['t1', TaskState.RUNNING]]);
  });
});

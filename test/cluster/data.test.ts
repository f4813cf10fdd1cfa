import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { SEGMENT_HEADER_SIZE, decodeSegmentHeader, headerCrc } from '../../src/raft/src/log/segment-header.ts';
import { scanSegment } from '../../src/raft/src/log/segment-scan.ts';
import { decodeWatermark } from '../../src/raft/src/log/watermark.ts';
import { freePort, TestCluster, TestDaemon } from '../support/cluster.ts';
import { describeWithTmpfs } from '../support/tmpfs.ts';

const within = { timeout: 30_000, interval: 100 };
const KILOBYTE = 1024;

const raftOf = (daemon: TestDaemon): string => join(daemon.directory, 'raft');
const filesOf = (daemon: TestDaemon, extension: string): readonly string[] =>
  readdirSync(raftOf(daemon))
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(raftOf(daemon), name));

/** Stores a config; resolves with whether the daemon acknowledged it. */
const store = async (daemon: TestDaemon, name: string, bytes = 16): Promise<number> =>
  (await daemon.call('POST', '/configs/create', { Name: name, Data: Buffer.alloc(bytes, name).toString('base64') }))
    .status;
const stored = async (daemon: TestDaemon): Promise<readonly string[]> =>
  (await daemon.ask<readonly { Spec: { Name: string } }[]>('GET', '/configs')).map((c) => c.Spec.Name);
const answers = (daemon: TestDaemon) =>
  expect.poll(async () => (await daemon.call('GET', '/configs').catch(() => undefined))?.status, within).toBe(200);

function flipBit(file: string, offset: number): void {
  const bytes = readFileSync(file);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
  writeFileSync(file, bytes);
}

/** Where the records of the newest segment end: the sequence number that the next one will have. */
function endOfLog(daemon: TestDaemon): number {
  const bytes = new Uint8Array(readFileSync(filesOf(daemon, '.wal').at(-1) as string));
  const header = decodeSegmentHeader(bytes);
  if (typeof header === 'string') throw new Error(header);
  const seed = headerCrc(bytes.subarray(0, SEGMENT_HEADER_SIZE));
  const start = { offset: SEGMENT_HEADER_SIZE, sequence: header.firstSequence, prevCrc: seed };
  return scanSegment(bytes, seed, start, () => undefined).end.sequence;
}

/**
 * The log notes how far it was durable once a second. Only what lies before that note can be told from an interrupted write
 * when it is gone.
 */
const isNotedAsDurable = (daemon: TestDaemon): boolean =>
  decodeWatermark(readFileSync(join(raftOf(daemon), 'synced'))) === endOfLog(daemon);

/** Everything in the folder, to see that nothing was touched. */
const contentOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'lock')
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file} ${readFileSync(file).toString('base64').length}`)
    .sort();

describe('damaged state of a single manager', () => {
  let cluster: TestCluster;
  let whole: string;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 1, workers: 0, managerRuntime: 'none' });
    for (let i = 0; i < 10; i++) expect(await store(cluster.first, `early-${i}`)).toBe(201);
    // More than the log may grow before it is summed up in a snapshot.
    for (let i = 0; i < 24; i++) {
      expect(await store(cluster.first, `large-${i}`, 900 * KILOBYTE)).toBe(201);
      await cluster.first.ask('DELETE', `/configs/large-${i}`);
    }
    await vi.waitUntil(() => filesOf(cluster.first, '.snap').length > 0, within);
    // Large enough to lie beyond what the tests cut off, also at the beginning of a segment.
    expect(await store(cluster.first, 'late', 64 * KILOBYTE)).toBe(201);
    await vi.waitUntil(() => isNotedAsDurable(cluster.first), within);
    // Space for the next segment that is only half made would be made anew by each start.
    await vi.waitUntil(() => existsSync(join(raftOf(cluster.first), 'spare')), within);
    await cluster.first.kill();
    whole = join(cluster.directory, 'whole');
    cpSync(cluster.first.directory, whole, { recursive: true });
  });
  // A daemon that a failed test leaves behind would fail all that follow.
  afterEach(() => cluster.first.kill());
  afterAll(() => cluster.close());

  const restored = (): TestDaemon => {
    rmSync(cluster.first.directory, { recursive: true, force: true });
    cpSync(whole, cluster.first.directory, { recursive: true });
    return cluster.first;
  };
  const refuses = async (daemon: TestDaemon, why: RegExp | string): Promise<void> => {
    const before = contentOf(daemon.directory);
    await expect(daemon.start()).rejects.toThrow(why);
    expect(contentOf(daemon.directory)).toEqual(before);
  };
  const lastByteOf = (file: string): number => {
    const bytes = readFileSync(file);
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    return end;
  };

  it('starts from a log whose last write was interrupted, with everything acknowledged before', async () => {
    const daemon = restored();
    await daemon.start();
    await answers(daemon);
    const synced = readFileSync(join(raftOf(daemon), 'synced'));
    expect(await store(daemon, 'interrupted', 20 * KILOBYTE)).toBe(201);
    await daemon.kill();
    const newest = filesOf(daemon, '.wal').at(-1) as string;
    writeFileSync(join(raftOf(daemon), 'synced'), synced);
    truncateSync(newest, lastByteOf(newest) - 5 * KILOBYTE);
    await daemon.start();
    await answers(daemon);
    const names = await stored(daemon);
    expect(names).toEqual(expect.arrayContaining(['early-0', 'early-9', 'late']));
    expect(await store(daemon, 'after')).toBe(201);
    await daemon.kill();
  });

  it('refuses a log that lost what had been durable, naming file and byte', async () => {
    const daemon = restored();
    const newest = filesOf(daemon, '.wal').at(-1) as string;
    truncateSync(newest, 4 * KILOBYTE);
    await refuses(daemon, new RegExp(`raft log is corrupt: ${basename(newest)} at byte \\d+`));
  });

  it('refuses a flipped bit in the middle of a segment, naming file and byte', async () => {
    const daemon = restored();
    const newest = filesOf(daemon, '.wal').at(-1) as string;
    flipBit(newest, Math.trunc(lastByteOf(newest) / 2));
    await refuses(daemon, new RegExp(`raft log is corrupt: ${basename(newest)} at byte \\d+.*restore this member`));
  });

  it('refuses a flipped bit in a snapshot, naming file and byte', async () => {
    const daemon = restored();
    const newest = filesOf(daemon, '.snap').at(-1) as string;
    flipBit(newest, Math.trunc(readFileSync(newest).length / 2));
    await refuses(daemon, new RegExp(`raft log is corrupt: ${basename(newest)} at byte \\d+`));
  });

  it('refuses the log of another swarm', async () => {
    const daemon = restored();
    const other = await TestCluster.start({ managers: 1, workers: 0, managerRuntime: 'none' });
    await other.first.stop();
    rmSync(raftOf(daemon), { recursive: true });
    cpSync(raftOf(other.first), raftOf(daemon), { recursive: true });
    cpSync(join(other.first.directory, 'keys.json'), join(daemon.directory, 'keys.json'));
    await refuses(daemon, /belongs to cluster "\w+", not to "\w+"; use this node's own data directory/);
    await other.close();
  });

  it.each([
    ['{"format": 1, "clusterId": "x', /node\.json cannot be used/],
    ['{"format": 2, "clusterId": "x", "nodeId": "y"}', /written by a newer swarmd/],
  ])('refuses a node.json it cannot understand: %s', async (text, why) => {
    const daemon = restored();
    writeFileSync(join(daemon.directory, 'node.json'), text);
    await refuses(daemon, why);
  });

  it('refuses a damaged certificate', async () => {
    const daemon = restored();
    writeFileSync(join(daemon.directory, 'certificates', 'swarm-node.pem'), 'nonsense');
    await refuses(daemon, /the node certificate in .*certificates cannot be used/);
  });

  it.each(['node.json', 'certificates/swarm-node.pem', 'certificates/swarm-root-ca.crt'])(
    'founds no new swarm over a log when %s is missing',
    async (file) => {
      const daemon = restored();
      rmSync(join(daemon.directory, file));
      await refuses(daemon, new RegExp(`${file.replace(/\/.*/, '')} is missing, or a part of it`));
    },
  );

  it('starts again with everything once the files are whole', async () => {
    const daemon = restored();
    await daemon.start();
    await answers(daemon);
    expect(await stored(daemon)).toEqual(expect.arrayContaining(['early-0', 'early-9', 'late']));
    await daemon.kill();
  });
});

describeWithTmpfs('a manager whose disk fills up', (mount) => {
  let directory: TestCluster | undefined;
  afterAll(() => directory?.close());

  it('refuses writes, lives, and goes on when there is room again, with nothing lost', async () => {
    directory = await TestCluster.start({ managers: 0, workers: 0 });
    const daemon = new TestDaemon('full', directory.directory, [
      'manager',
      '--runtime',
      'none',
      '--listen-addr',
      `127.0.0.1:${await freePort()}`,
    ]);
    mkdirSync(daemon.directory, { recursive: true });
    const unmount = mount(daemon.directory, '40m');
    try {
      await daemon.start();
      const filler = join(daemon.directory, 'filler');
      fill(filler);
      const acknowledged: string[] = [];
      let refusal: { readonly status: number; readonly body: { readonly message?: string } } | undefined;
      for (let i = 0; i < 60 && !refusal; i++) {
        const Data = Buffer.alloc(900 * KILOBYTE, i).toString('base64');
        const answer = await daemon.call<{ message?: string }>('POST', '/configs/create', { Name: `c${i}`, Data });
        if (answer.status === 201) acknowledged.push(`c${i}`);
        else refusal = answer;
      }
      expect(refusal?.status).toBe(507);
      expect(refusal?.body.message).toMatch(/disk .*full: free space on it/);
      expect((await daemon.call('GET', '/nodes')).status).toBe(200);
      expect(await stored(daemon)).toEqual(expect.arrayContaining(acknowledged));
      rmSync(filler);
      await expect.poll(() => store(daemon, 'after').catch(() => 0), within).toBeOneOf([201, 409]);
      await daemon.kill();
      await daemon.start();
      await answers(daemon);
      expect(await stored(daemon)).toEqual(expect.arrayContaining([...acknowledged, 'after']));
    } finally {
      await daemon.kill();
      unmount();
    }
  });
});

/** Writes until nothing more goes onto the file system. */
function fill(file: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4096'], { stdio: 'ignore' });
  } catch {
    // dd ends with an error when the file system is full, which is what was wanted.
  }
  if (!existsSync(file)) throw new Error(`nothing could be written to ${file}`);
}

import type * as FilePromises from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import type * as SegmentFiles from '../../src/log/segment-files.ts';
import { SnapshotFiles } from '../../src/log/snapshot-files.ts';
import { aDirectory, confState } from './support.ts';

const steps = vi.hoisted((): string[] => []);

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FilePromises>();
  const open: typeof real.open = async (...args) => {
    const file = await real.open(...args);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      steps.push('content synced');
      await sync();
    };
    return file;
  };
  const rename: typeof real.rename = async (from, to) => {
    steps.push('renamed');
    await real.rename(from, to);
  };
  return { ...real, open, rename };
});

vi.mock('../../src/log/segment-files.ts', async (original) => {
  const real = await original<typeof SegmentFiles>();
  const syncDirectory: typeof real.syncDirectory = (directory) => {
    steps.push('directory synced');
    real.syncDirectory(directory);
  };
  return { ...real, syncDirectory };
});

it('a snapshot is durable before it has its name, and its name before anybody relies on it', async () => {
  const files = new SnapshotFiles({ directory: aDirectory(), clusterId: 'c', nodeId: '1', keys: undefined });
  const writer = await files.write({ index: 3, term: 1, confState: confState('1') });
  await writer.write(new Uint8Array(1000));
  await writer.publish();
  expect(steps).toEqual(['content synced', 'renamed', 'directory synced']);
});

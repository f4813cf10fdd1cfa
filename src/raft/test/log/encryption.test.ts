import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogCorruptError, LogKeyError } from '../../src/log/errors.ts';
import { viewOf } from '../../src/log/bytes.ts';
import type { LogKeys } from '../../src/log/keys.ts';
import { RECORD_HEAD, headAt, recordSize, sealRecord } from '../../src/log/record.ts';
import { SEGMENT_HEADER_SIZE, headerCrc } from '../../src/log/segment-header.ts';
import { aDirectory, anEntry, append, confState, entriesFrom, hardState, openLog } from './support.ts';

function keysOf(current: string, ...others: string[]): LogKeys {
  return { keys: new Map([current, ...others].map((id) => [id, new Uint8Array(32).fill(id.charCodeAt(0))])), current };
}

const SECRET = 'the launch code is 4711';

function grep(directory: string, text: string): string[] {
  return readdirSync(directory).filter((file) => readFileSync(join(directory, file)).includes(text));
}

/** Gives every record of a segment the checksum that fits it as it is now. */
function resealAll(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  const seed = headerCrc(bytes);
  let prevCrc = seed;
  let offset = SEGMENT_HEADER_SIZE;
  for (let head = headAt(bytes, view, offset); head !== undefined; head = headAt(bytes, view, offset)) {
    prevCrc = sealRecord(bytes, offset, seed, { ...head, prevCrc });
    offset += recordSize(head.length);
  }
}

describe('an encrypted log', () => {
  it('shows nothing of its content on disk and reads it back', async () => {
    const directory = aDirectory();
    const log = await openLog(directory, { keys: keysOf('a'), cacheBytes: 100 });
    await append(log, { entries: [anEntry(1, 1, SECRET), ...entriesFrom(2, 50)], hardState: hardState(1, 20) });
    await log.createSnapshot({ index: 10, term: 1, confState: confState('1') }, [Buffer.from(SECRET)]);
    expect(log.entries(1, 2, Infinity)).toEqual([anEntry(1, 1, SECRET)]);
    await log.close();
    expect(grep(directory, 'launch')).toEqual([]);
    const again = await openLog(directory, { keys: keysOf('a'), cacheBytes: 100 });
    expect(again.entries(1, 2, Infinity)).toEqual([anEntry(1, 1, SECRET)]);
    const snapshot = await again.openSnapshot(again.snapshot().metadata);
    for await (const chunk of snapshot.chunks()) expect(Buffer.from(chunk).toString()).toBe(SECRET);
    await snapshot.close();
  });

  it('can not be opened without its key', async () => {
    const directory = aDirectory();
    const log = await openLog(directory, { keys: keysOf('a') });
    await append(log, { entries: entriesFrom(1, 5) });
    await log.close();
    await expect(openLog(directory)).rejects.toThrow(LogKeyError);
    await expect(openLog(directory, { keys: keysOf('b') })).rejects.toThrow('key "a"');
    const wrong: LogKeys = { keys: new Map([['a', new Uint8Array(32)]]), current: 'a' };
    await expect(openLog(directory, { keys: wrong })).rejects.toThrow(LogCorruptError);
  });

  it('writes under a new key from the moment it is given, and lets the old one go after a snapshot', async () => {
    const directory = aDirectory();
    const log = await openLog(directory);
    await append(log, { entries: [anEntry(1, 1, 'plain text')], hardState: hardState(1) });
    log.setKeys(keysOf('a'));
    await append(log, { entries: [anEntry(2, 1, SECRET)], hardState: hardState(1, 1) });
    log.setKeys(keysOf('b', 'a'));
    await append(log, { entries: [anEntry(3, 1, SECRET)], hardState: hardState(1, 3) });
    expect([...log.keyIdsInUse()].sort()).toEqual(['', 'a', 'b']);
    expect(grep(directory, 'launch')).toEqual([]);
    await log.createSnapshot({ index: 2, term: 1, confState: confState('1') }, [Buffer.from('state')]);
    log.compact(2);
    await append(log, { entries: [anEntry(4)] });
    expect([...log.keyIdsInUse()]).toEqual(['b']);
    await log.close();
    expect(grep(directory, 'plain text')).toEqual([]);
    const again = await openLog(directory, { keys: keysOf('b') });
    expect(again.entries(3, 5, Infinity)).toEqual([anEntry(3, 1, SECRET), anEntry(4)]);
    expect(again.snapshot().metadata.index).toBe(2);
    await again.close();
    expect((await openLog(directory, { keys: keysOf('c', 'b') })).lastIndex()).toBe(4);
  });

  it('detects a changed record even if its checksum fits', async () => {
    const directory = aDirectory();
    const log = await openLog(directory, { keys: keysOf('a') });
    await append(log, { entries: entriesFrom(1, 5) });
    await log.close();
    const [file] = readdirSync(directory).filter((name) => name.endsWith('.wal')) as [string];
    const bytes = new Uint8Array(readFileSync(join(directory, file)));
    const place = SEGMENT_HEADER_SIZE + RECORD_HEAD + 20;
    bytes[place] = (bytes[place] as number) ^ 1;
    resealAll(bytes);
    writeFileSync(join(directory, file), bytes);
    const opening = openLog(directory, { keys: keysOf('a') });
    await expect(opening).rejects.toThrow('can not be decrypted');
    await expect(opening).rejects.toThrow(LogCorruptError);
  });

  it('refuses keys of a wrong length', async () => {
    const keys: LogKeys = { keys: new Map([['a', new Uint8Array(16)]]), current: 'a' };
    await expect(openLog(aDirectory(), { keys })).rejects.toThrow('give 32');
    await expect(openLog(aDirectory(), { keys: { keys: new Map(), current: 'a' } })).rejects.toThrow('not given');
  });
});

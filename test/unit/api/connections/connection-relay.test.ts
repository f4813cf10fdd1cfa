import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionRelay } from '../../../../src/api/connections/connection-relay.ts';
import { breakLongTurn } from '../../../../src/common/long-turns.ts';
import type { RelayedConnection } from '../../../../src/api/connections/relayed-connection.ts';

const MIB = 1024 * 1024;
/** A client in a thread of its own that sends as much as it can, and counts what is gone. */
const FLOOD = `
  const { connect } = require('node:net');
  const { path, sent, pieces } = require('node:worker_threads').workerData;
  const socket = connect({ path, allowHalfOpen: true });
  const piece = Buffer.alloc(${MIB});
  const send = (left) => {
    if (left === 0) socket.end();
    else socket.write(piece, () => { Atomics.add(sent, 0, BigInt(piece.length)); send(left - 1); });
  };
  send(pieces);
  socket.resume();
`;

let folder: string;
let path: string;
let relay: ConnectionRelay;
let accepted: (connection: RelayedConnection) => void;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-relay-'));
  path = join(folder, 'relay.sock');
  relay = new ConnectionRelay((connection) => accepted(connection));
  await relay.listen({ at: { path }, tls: undefined });
});
afterEach(async () => {
  await relay.close();
  rmSync(folder, { recursive: true });
});

/** Both ends of a new connection; the client's end may be written to when the other has ended. */
async function connected(): Promise<{ client: Socket; server: RelayedConnection }> {
  const coming = new Promise<RelayedConnection>((resolve) => {
    accepted = resolve;
  });
  const client = connect({ path, allowHalfOpen: true });
  await once(client, 'connect');
  return { client, server: await coming };
}

/** All that comes until the end. Other than node:stream/consumers it does not close the way back. */
async function buffer(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece)).resume();
  await once(stream, 'end');
  return Buffer.concat(pieces);
}

const text = async (stream: Readable): Promise<string> => (await buffer(stream)).toString();

/** Writes 64 KiB after another until `most` bytes are taken; resolves with what was taken before a write had to wait. */
async function writeUntilFull(server: RelayedConnection, most: number): Promise<number> {
  const piece = Buffer.alloc(64 * 1024);
  let taken = 0;
  while (taken < most) {
    server.write(piece);
    taken += piece.length;
    await nextTurn();
    if (server.writableLength > 0) break;
  }
  return taken;
}

describe('a connection whose socket another thread owns', () => {
  it('carries bytes both ways, and the end of each way by itself', async () => {
    const { client, server } = await connected();
    const closed = once(server, 'close');
    client.end('a question');
    expect(await text(server)).toBe('a question');
    server.write('an ');
    await delay(20);
    server.end('answer');
    expect(await text(client)).toBe('an answer');
    await closed;
  });

  it('carries much at once, whole and in order', async () => {
    const { client, server } = await connected();
    const content = Buffer.alloc(40 * MIB, 'swarm of threads');
    const got = buffer(client);
    server.end(content);
    expect((await got).equals(content)).toBe(true);
    const back = buffer(server);
    client.end(content);
    expect((await back).equals(content)).toBe(true);
  });

  it('waits for a client that does not read, and goes on when it does', async () => {
    const { client, server } = await connected();
    client.pause();
    const taken = await writeUntilFull(server, 64 * MIB);
    expect(taken).toBeGreaterThan(MIB);
    expect(taken).toBeLessThan(10 * MIB);
    server.end();
    expect((await buffer(client)).length).toBe(taken);
  });

  it('leaves room for small answers when clients that do not read have filled it', async () => {
    const slow: Awaited<ReturnType<typeof connected>>[] = [];
    for (let i = 0; i < 6; i++) slow.push(await connected());
    let taken = 0;
    for (const { client, server } of slow) {
      client.pause();
      taken += await writeUntilFull(server, 64 * MIB);
    }
    expect(taken).toBeLessThan(40 * MIB);
    const { client, server } = await connected();
    server.end('small');
    expect(await text(client)).toBe('small');
    // Room that others give back is used.
    for (const { server: writer } of slow) writer.end();
    const got = await Promise.all(slow.map(async ({ client: reader }) => (await buffer(reader)).length));
    expect(got.reduce((sum, length) => sum + length)).toBe(taken);
    for (const { client: reader } of slow) reader.end();
  });

  it('does not read on while what came is not taken', async () => {
    const { client, server } = await connected();
    const content = Buffer.alloc(8 * MIB, 7);
    client.end(content);
    await delay(100);
    expect(client.bytesWritten - client.writableLength).toBeLessThan(2 * MIB);
    expect((await buffer(server)).length).toBe(content.length);
  });

  it('is closed when its client goes', async () => {
    const { client, server } = await connected();
    server.resume();
    const closed = once(server, 'close');
    client.destroy();
    await once(server, 'end');
    server.write('nobody hears');
    await closed;
  });

  it('sends what was written before it was closed', async () => {
    const { client, server } = await connected();
    const got = buffer(client);
    server.write(Buffer.alloc(4 * MIB));
    server.destroySoon();
    expect((await got).length).toBe(4 * MIB);
    client.end();
  });

  it('tells when nothing was said for a time', async () => {
    const { client, server } = await connected();
    server.setTimeout(60);
    server.resume();
    const began = performance.now();
    const silent = once(server, 'timeout');
    for (let i = 0; i < 4; i++) {
      await delay(30);
      client.write('x');
    }
    await silent;
    expect(performance.now() - began).toBeGreaterThan(150);
    server.setTimeout(20);
    server.setTimeout(0);
    let isTold = false;
    server.once('timeout', () => (isTold = true));
    await delay(60);
    expect(isTold).toBe(false);
    client.destroy();
  });

  it('may still be read when nobody listens any more', async () => {
    const { client, server } = await connected();
    relay.stopListening();
    server.end('late');
    expect(await text(client)).toBe('late');
    client.end();
    const [refused] = (await once(connect(path), 'error')) as [NodeJS.ErrnoException];
    expect(refused.code).toMatch(/ENOENT|ECONNREFUSED/);
  });
});

describe('what came', () => {
  it('is no more than can be kept while nobody takes it', async () => {
    const coming = new Promise<RelayedConnection>((resolve) => {
      accepted = resolve;
    });
    const most = 96 * MIB;
    const sent = new BigInt64Array(new SharedArrayBuffer(8));
    const flood = new Worker(FLOOD, { eval: true, workerData: { path, sent, pieces: most / MIB } });
    const server = await coming;
    // Nobody takes anything in this turn.
    const end = performance.now() + 700;
    while (performance.now() < end);
    const whileBusy = Number(Atomics.load(sent, 0));
    expect(whileBusy).toBeGreaterThan(MIB);
    expect(whileBusy).toBeLessThan(16 * MIB);
    expect((await buffer(server)).length).toBe(most);
    server.end();
    await once(flood, 'exit');
  });

  it('is heard within a long turn', async () => {
    const { client, server } = await connected();
    let got = '';
    server.on('data', (piece: Buffer) => (got += piece.toString()));
    await nextTurn();
    client.write('urgent');
    const end = performance.now() + 5_000;
    while (got === '' && performance.now() < end) breakLongTurn();
    expect(got).toBe('urgent');
    client.destroy();
  });
});

describe('the thread', () => {
  it('says why an address cannot be had', async () => {
    await expect(relay.listen({ at: { path }, tls: undefined })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('ends soon although a client does not read what was written', async () => {
    const { client, server } = await connected();
    client.pause();
    await writeUntilFull(server, 64 * MIB);
    const began = performance.now();
    await relay.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    client.destroy();
    relay = new ConnectionRelay(() => undefined);
  });
});

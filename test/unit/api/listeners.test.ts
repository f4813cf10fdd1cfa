import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Listeners } from '../../../src/api/listeners.ts';

const patience = { idleMs: 300, headersMs: 300, requestMs: 900, checkMs: 20 };

/** Reads whole requests, and answers after some time if it is asked to. */
const handler: RequestListener = (request, response) => {
  request.resume().once('end', () => {
    void delay(Number(request.headers['x-wait'] ?? 0)).then(() => response.end('answer'));
  });
  request.once('error', () => response.destroy());
};

describe('clients that are too slow', () => {
  let folder: string;
  let path: string;
  let listeners: Listeners;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'swarmd-listeners-'));
    path = join(folder, 'api.sock');
    listeners = new Listeners({ handler, tls: undefined, patience });
    await listeners.open({ kind: 'unix', path });
  });
  afterEach(async () => {
    await listeners.close(0);
    rmSync(folder, { recursive: true });
  });

  async function client(said: string): Promise<{ readonly socket: Socket; readonly heard: Promise<string> }> {
    const socket = connect(path);
    await once(socket, 'connect');
    socket.write(said);
    let text = '';
    socket.on('data', (piece: Buffer) => (text += piece.toString()));
    return { socket, heard: once(socket, 'close').then(() => text) };
  }

  it('are told so when they do not end their headers', async () => {
    const begin = performance.now();
    const { heard } = await client('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(await heard).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - begin).toBeGreaterThan(patience.headersMs - patience.checkMs);
  });

  it('are told so when they do not end their request, however often they say something', async () => {
    const { socket, heard } = await client('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n');
    const timer = setInterval(() => socket.write('.'), 50);
    expect(await heard).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(timer);
  });

  it('lose their connection when they ask for nothing more', async () => {
    const begin = performance.now();
    const { heard } = await client('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await heard).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*answer/);
    expect(performance.now() - begin).toBeGreaterThan(patience.idleMs - patience.checkMs);
  });

  it('are not those that wait for their answer', async () => {
    const { heard } = await client('GET / HTTP/1.1\r\nHost: x\r\nX-Wait: 1500\r\nConnection: close\r\n\r\n');
    expect(await heard).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*answer/);
  });
});

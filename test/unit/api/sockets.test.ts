import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { SubscribeLogsMessage } from '../../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { createRootCa, createSigningRequest, signNodeCertificate } from '../../../src/identity/certificate.ts';
import { apiRig, type ApiRig, type Json } from '../../support/api-rig.ts';
import { SwarmError } from '../../../src/common/errors.ts';

let folder: string;
let path: string;
let rig: ApiRig;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-api-'));
  path = join(folder, 'api.sock');
  rig = await apiRig();
  await rig.api.listen(`unix://${path}`);
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function send(method: string, url: string, body?: string, agent?: Agent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: path, method, path: url, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** An answer whose end is not waited for. */
async function open(url: string): Promise<IncomingMessage> {
  const request = httpRequest({ socketPath: path, path: url }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

const createService = (name: string, container: object = {}): Promise<Reply> =>
  send(
    'POST',
    '/v1.41/services/create',
    JSON.stringify({ Name: name, TaskTemplate: { ContainerSpec: { Image: 'a', ...container } } }),
  );

const line = (text: string, stream: 1 | 2 = 1): SubscribeLogsMessage => ({
  messages: [
    {
      context: { serviceId: 'S', nodeId: 'N', taskId: 'T' },
      timestamp: { seconds: 1795217401, nanos: 5000 },
      stream,
      data: Buffer.from(text),
      attrs: [{ key: 'a b', value: 'c=d' }],
    },
  ],
});

/** Sends text as it is and gives what comes back until the server has nothing more to say. */
async function raw(...pieces: readonly string[]): Promise<string> {
  const socket = connect(path);
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  for (const piece of pieces) {
    socket.write(piece);
    await once(socket, 'data');
  }
  socket.destroy();
  return text;
}

describe('requests', () => {
  it('that would rather speak HTTP/2 are answered, and those after them on the same connection', async () => {
    const upgrade = 'host: d\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n';
    const body = JSON.stringify({ Name: 's', Data: 'eA==' });
    const text = await raw(
      `GET /_ping HTTP/1.1\r\n${upgrade}\r\n`,
      `POST /secrets/create HTTP/1.1\r\n${upgrade}content-length: ${body.length}\r\n\r\n${body}`,
      `GET /swarmd/nosuch HTTP/1.1\r\n${upgrade.replace('h2c', 'websocket')}\r\n`,
      'GET /secrets/s HTTP/1.1\r\nhost: d\r\n\r\n',
    );
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '201', '404', '200']);
    expect(text).toContain('"Name":"s"');
  });

  it('are understood as proxies write them', async () => {
    const ping = await raw('GET http://docker/_ping HTTP/1.1\r\nhost: docker\r\n\r\n');
    expect(ping).toContain('HTTP/1.1 200');
    const missing = await raw('GET HTTP://docker:80/v1.41/services/nosuch?x=//y HTTP/1.1\r\nhost: docker\r\n\r\n');
    expect(missing).toContain('service nosuch not found');
    expect(await raw('GET http://docker?x=1 HTTP/1.1\r\nhost: docker\r\n\r\n')).toContain('page not found');
  });
});

describe('a unix socket', () => {
  it('is for owner and group, and goes with the server', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o660);
    await rig.api.close();
    expect(existsSync(path)).toBe(false);
  });

  it('takes the place of one nobody listens on, and of nothing else', async () => {
    const other = await apiRig();
    await expect(other.api.listen(`unix://${path}`)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('another program listens there') as unknown,
    });
    const stale = join(folder, 'stale.sock');
    const listenAndDie = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', listenAndDie, stale]);
    expect(existsSync(stale)).toBe(true);
    await other.api.listen(`unix://${stale}`);
    const file = join(folder, 'file');
    writeFileSync(file, 'data');
    await expect(other.api.listen(`unix://${file}`)).rejects.toThrow(/a file that is no socket is there/);
    await expect(other.api.listen('http://x')).rejects.toThrow(/API address "http:\/\/x"/);
    await expect(other.api.listen('tcp://0.0.0.0:0')).rejects.toThrow(/give a TLS certificate/);
    await other.close();
  });

  it('serves long addresses, and many requests over one connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const long = await send('GET', `/services?x=${'a'.repeat(900_000)}`, undefined, agent);
    expect(long.status).toBe(200);
    for (let i = 0; i < 20; i++) expect((await send('GET', '/_ping', undefined, agent)).body.toString()).toBe('OK');
    agent.destroy();
  });

  it('refuses a body that grows too large without waiting for its end', async () => {
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.write('POST /services/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const piece = 'a'.repeat(0x100000);
    for (let sent = 0; sent < 5; sent++) socket.write(`100000\r\n${piece}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413[^]*the request body is too large: at most 4194304 bytes/);
    socket.destroy();
    expect((await send('GET', '/_ping')).status).toBe(200);
  });

  it('goes on when a client leaves in the middle of its body', async () => {
    const socket = connect(path);
    socket.write('POST /services/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"Name":');
    await once(socket, 'ready');
    socket.destroy();
    await once(socket, 'close');
    expect((await createService('after')).status).toBe(201);
  });

  it('answers clients that write nonsense and goes on', async () => {
    const socket = connect(path);
    socket.write('NONSENSE\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400/);
    expect((await send('GET', '/_ping')).status).toBe(200);
  });
});

describe('logs', () => {
  it('are framed, with details and times where asked', async () => {
    await createService('web');
    rig.logs = async function* (request) {
      expect(request.options).toMatchObject({ streams: [1, 2], follow: false, tail: -4 });
      expect(request.selector?.serviceIds).toHaveLength(1);
      yield line('out\n');
      yield line('err\n', 2);
      await Promise.resolve();
    };
    const { headers, body } = await send(
      'GET',
      '/v1.41/services/web/logs?stdout=1&stderr=1&details=1&timestamps=1&tail=3',
    );
    expect(headers['content-type']).toBeUndefined();
    const details = 'a+b=c%3Dd,com.docker.swarm.node.id=N,com.docker.swarm.service.id=S,com.docker.swarm.task.id=T';
    const text = `2026-11-20T23:30:01.000005000Z ${details} out\n`;
    expect([...body.subarray(0, 8)]).toEqual([1, 0, 0, 0, 0, 0, 0, text.length]);
    expect(body.subarray(8, 8 + text.length).toString()).toBe(text);
    expect(body[8 + text.length]).toBe(2);
    const newer = await send('GET', '/v1.42/services/web/logs?stdout=1&tail=3&stderr=1');
    expect(newer.headers['content-type']).toBe('application/vnd.docker.multiplexed-stream');
  });

  it('of a terminal are raw and hold standard output only', async () => {
    await createService('tty', { TTY: true });
    rig.logs = async function* () {
      yield line('a\r\n');
      yield line('b\r\n', 2);
      await Promise.resolve();
    };
    const { headers, body } = await send('GET', '/v1.44/services/tty/logs?stdout=1&stderr=1');
    expect([headers['content-type'], body.toString()]).toEqual(['application/vnd.docker.raw-stream', 'a\r\n']);
  });

  it('begin before the first line and stop when the client leaves', async () => {
    await createService('follow');
    const stopped = new Promise<void>((resolve) => {
      rig.logs = async function* (_request, signal) {
        await once(signal, 'abort');
        resolve();
        yield line('late');
      };
    });
    const response = await open('/services/follow/logs?stdout=1&follow=1');
    expect(response.statusCode).toBe(200);
    response.destroy();
    await stopped;
  });

  it('tell an error on the way as a frame of its own', async () => {
    await createService('broken');
    rig.logs = async function* () {
      yield line('a\n');
      await Promise.resolve();
      throw new SwarmError('unknown', 'warning: incomplete log stream. some logs could not be retrieved');
    };
    const { body } = await send('GET', '/services/broken/logs?stdout=1');
    expect([body[8 + 2], body.subarray(8 + 2 + 8).toString()]).toEqual([
      3,
      'Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved\n',
    ]);
  });

  it('wait for slow clients', async () => {
    await createService('fast');
    let produced = 0;
    rig.logs = async function* (_request, signal) {
      while (!signal.aborted && produced < 10_000) {
        produced++;
        yield line('x'.repeat(64 * 1024));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const response = await open('/services/fast/logs?stdout=1&follow=1');
    response.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(produced).toBeLessThan(200);
    response.destroy();
  });
});

describe('events', () => {
  it('begin at once and bring what happens', async () => {
    const response = await open('/v1.41/events?filters={"type":["service"]}');
    expect(response.headers['content-type']).toBe('application/json');
    await createService('evented');
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(JSON.parse(chunk.toString())).toMatchObject({
      Type: 'service',
      Action: 'create',
      Actor: { Attributes: { name: 'evented' } },
      scope: 'swarm',
    });
    response.destroy();
  });

  it('end when the server closes', async () => {
    const response = await open('/events');
    response.resume();
    const ended = once(response, 'end');
    await rig.api.close();
    await ended;
  });
});

describe('the watch', () => {
  const watch = (query: string, headers: Record<string, string> = {}): WebSocket =>
    new WebSocket(`ws+unix://${path}:/swarmd/watch${query}`, { headers });
  const messages = (socket: WebSocket): AsyncGenerator<Json> => {
    const queue: Json[] = [];
    let wake = (): void => undefined;
    socket.on('message', (data: Buffer) => {
      queue.push(JSON.parse(data.toString()) as Json);
      wake();
    });
    return (async function* () {
      for (;;) {
        while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        yield queue.shift() as Json;
      }
    })();
  };
  const next = async (stream: AsyncGenerator<Json>): Promise<Json> => (await stream.next()).value as Json;

  it('lists, then tells changes, and resumes where it was left', async () => {
    await createService('w1');
    const first = watch('?list=1&kinds=service,cluster');
    const stream = messages(first);
    expect(Object.keys(await next(stream))).toEqual(['index']);
    const list = await next(stream);
    expect(list['objects']?.map((o) => String(o['kind']))).toEqual(['service', 'cluster']);
    expect(list['listed']).toBe(true);
    expect(JSON.stringify(list)).not.toContain('SWMTKN');
    await createService('w2');
    const change = await next(stream);
    expect(change['changes']?.[0]).toMatchObject({
      action: 'create',
      kind: 'service',
      object: { Spec: { Name: 'w2' } },
    });
    first.close();

    await send('DELETE', '/services/w2');
    const second = watch(`?since=${String(change['index'])}&kinds=service`);
    const resumed = messages(second);
    expect(await next(resumed)).toEqual({ index: change['index'] });
    expect((await next(resumed))['changes']?.[0]).toMatchObject({ action: 'delete', object: { Spec: { Name: 'w2' } } });
    second.close();
  });

  it('never shows the data of secrets', async () => {
    const socket = watch('?kinds=secret');
    const stream = messages(socket);
    await next(stream);
    await send('POST', '/secrets/create', JSON.stringify({ Name: 's', Data: 'aHVudGVy' }));
    const text = JSON.stringify(await next(stream));
    expect(text).toContain('"Name":"s"');
    expect(text).not.toContain('aHVudGVy');
    socket.close();
  });

  it.each([
    ['?since=x', {}, 400],
    ['?kinds=bogus', {}, 400],
    ['?since=1&list=1', {}, 400],
    ['', { origin: 'http://evil.example' }, 403],
  ])('refuses %s %j', async (query, headers, status) => {
    const socket = watch(query, headers);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(status);
    socket.on('error', () => undefined).terminate();
  });

  it('is the only way out of HTTP', async () => {
    const socket = new WebSocket(`ws+unix://${path}:/containers/x/attach/ws`);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(404);
    socket.on('error', () => undefined).terminate();
  });
});

describe('TCP with TLS', () => {
  it('serves clients with a certificate of the CA, and no others', async () => {
    const root = await createRootCa(Date.now());
    const issue = async (name: string) => {
      const { csr, key } = await createSigningRequest();
      const subject = { nodeId: name, role: 'manager', clusterId: 'c' } as const;
      const certificate = await signNodeCertificate(csr, subject, root, { nowMs: Date.now(), lifeMs: 3_600_000 });
      return { certificate, key };
    };
    const server = await issue('localhost');
    const secured = await apiRig({ tls: { ca: root.certificate, ...server } });
    const port = await secured.api.listen('tcp://127.0.0.1:0');
    const get = (credentials: object) =>
      new Promise<number>((resolve, reject) => {
        const options = { port, host: '127.0.0.1', servername: 'localhost', path: '/_ping', ca: root.certificate };
        httpsRequest({ ...options, ...credentials, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
    const client = await issue('client');
    expect(await get({ cert: client.certificate, key: client.key })).toBe(200);
    await expect(get({})).rejects.toThrow();
    await secured.close();
  });
});

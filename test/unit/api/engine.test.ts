/** The container half behind a manager that has an engine; the engine here is a small server that tells what it got. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRig, type ApiRig } from '../../support/api-rig.ts';
import { itWith } from '../../support/requirements.ts';

let folder: string;
let path: string;
let engine: Server;
let rig: ApiRig;
/** What the engine was asked of containers, with filters. */
const asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-engine-'));
  path = join(folder, 'api.sock');
  engine = createServer((request, response) => {
    response.setHeader('api-version', '1.39');
    if (request.url?.endsWith('/containers/json')) {
      response.setHeader('content-type', 'application/json');
      response.end('[]');
      return;
    }
    if (request.url?.includes('/containers/json?')) {
      response.end(
        JSON.stringify([
          { Id: 'a', Labels: { 'com.docker.swarm.task.id': 't' } },
          { Id: 'b', Labels: {} },
        ]),
      );
      asked.push(decodeURIComponent(request.url));
      return;
    }
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => {
      response.statusCode = request.url?.includes('missing') ? 404 : 200;
      response.end(`${request.method} ${request.url} ${bytes}`);
    });
  });
  engine.on('upgrade', (_request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    if (head.length > 0) socket.write(head);
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
    socket.on('end', () => socket.end('bye'));
  });
  engine.listen(join(folder, 'engine.sock'));
  await once(engine, 'listening');
  rig = await apiRig({ engineSocket: join(folder, 'engine.sock'), maxBodyBytes: 1000 });
  await rig.api.listen(`unix://${path}`);
});
afterAll(async () => {
  await rig.close();
  engine.closeAllConnections();
  engine.close();
  rmSync(folder, { recursive: true });
});

function send(method: string, url: string, body?: Buffer): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body && { 'content-type': 'application/json' };
    httpRequest({ socketPath: path, method, path: url, ...(headers && { headers }) }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end(body);
  });
}

describe('with an engine', () => {
  it('requests about containers reach it, in a version it speaks', async () => {
    expect(await send('GET', '/v1.41/containers/abc/json?size=1')).toEqual({
      status: 200,
      text: 'GET /v1.39/containers/abc/json?size=1 0',
    });
    expect((await send('GET', '/v1.30/images/a/b:c/json')).text).toBe('GET /v1.30/images/a/b:c/json 0');
    expect((await send('GET', '/system/df')).text).toBe('GET /v1.39/system/df 0');
    expect((await send('DELETE', '/containers/missing')).status).toBe(404);
  });

  it('containers of tasks are told from others by their labels', async () => {
    const list = async (filters: object): Promise<readonly string[]> => {
      const { text } = await send(
        'GET',
        `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`,
      );
      return (JSON.parse(text) as readonly { readonly Id: string }[]).map(({ Id }) => Id);
    };
    expect(await list({ 'is-task': { true: true }, name: ['x'] })).toEqual(['a']);
    expect(await list({ 'is-task': ['false'] })).toEqual(['b']);
    expect(await list({ 'is-task': ['false', 'true'] })).toEqual(['a']);
    expect(await list({ name: ['x'] })).toEqual(['a', 'b']);
    expect(asked).toEqual([
      '/v1.39/containers/json?all=1&filters={"name":["x"]}',
      '/v1.39/containers/json?all=1&filters={}',
      '/v1.39/containers/json?all=1&filters={}',
      '/v1.39/containers/json?all=1&filters={"name":["x"]}',
    ]);
  });

  it('bodies of any size are passed on', async () => {
    const { text } = await send('POST', '/v1.41/images/load', Buffer.alloc(3_000_000));
    expect(text).toBe('POST /v1.39/images/load 3000000');
  });

  it.each([
    { EndpointConfig: 'none' },
    { EndpointConfig: { Aliases: 5 } },
    { EndpointConfig: { Aliases: [5] } },
    { EndpointConfig: { IPAMConfig: 'none' } },
    { EndpointConfig: { IPAMConfig: { IPv4Address: 5 } } },
  ])('settings of a connection that are none are left to it: %j', async (settings) => {
    const body = Buffer.from(JSON.stringify({ Container: 'c', ...settings }));
    expect(await send('POST', '/v1.41/networks/n/connect', body)).toEqual({
      status: 200,
      text: `POST /v1.39/networks/n/connect ${body.length}`,
    });
  });

  it.each([
    ['1.43', '{"Name":"n"}'],
    ['1.44', '{"Name":"n","CheckDuplicate":true}'],
  ])('a network that a client of %s makes has a name of its own', async (version, passed) => {
    const { text } = await send('POST', `/v${version}/networks/create`, Buffer.from('{"Name":"n"}'));
    expect(text).toBe(`POST /v1.39/networks/create ${passed.length}`);
  });

  it('the swarm half stays with the manager', async () => {
    expect((await send('GET', '/v1.41/services')).text).toBe('[]\n');
    expect((await send('POST', '/v1.41/services/create', Buffer.alloc(2000))).status).toBe(413);
  });

  it('attached streams go both ways, and the end of one side reaches the other', async () => {
    const request = httpRequest({
      socketPath: path,
      method: 'POST',
      path: '/v1.41/containers/x/attach?stream=1',
      headers: { connection: 'Upgrade', upgrade: 'tcp' },
    }).end();
    const [response, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex];
    expect(response.statusCode).toBe(101);
    socket.write('hello');
    expect(String((await once(socket, 'data'))[0])).toBe('HELLO');
    socket.end();
    expect(String((await once(socket, 'data'))[0])).toBe('bye');
  });

  it('an engine that is gone is told as such', async () => {
    const orphan = await apiRig({ engineSocket: join(folder, 'nobody.sock') });
    const answer = await orphan.call('GET', '/containers/json');
    expect([answer.status, answer.message]).toEqual([
      503,
      expect.stringMatching(/^the container engine of this node does not answer/),
    ]);
    await orphan.close();
  });

  itWith(['docker'], 'the docker command line lists containers', async () => {
    const out = await new Promise<string>((resolve) => {
      execFile('docker', ['-H', `unix://${path}`, 'ps', '--format', 'json'], (error, stdout, stderr) =>
        resolve(error ? stderr : stdout),
      );
    });
    expect(out).toBe('');
  });
});

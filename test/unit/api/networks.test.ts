/** Networks of a manager with an engine, which has some of its own; the engine here is a small server. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRig, type ApiRig } from '../../support/api-rig.ts';

const LOCAL: Readonly<Record<string, object>> = Object.fromEntries(
  ['loc', 'none'].map((Name) => [Name, { Name, Id: Name.padEnd(64, '0'), Scope: 'local', Labels: {} }]),
);

let folder: string;
let engine: Server;
let rig: ApiRig;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-networks-'));
  engine = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('api-version', '1.41');
    const [, name = ''] = /\/networks\/(\w+)$/.exec(request.url ?? '') ?? [];
    if (request.method === 'POST') response.end('{"Id":"made","Warning":""}');
    else {
      response.statusCode = name in LOCAL ? 200 : 404;
      response.end(JSON.stringify(LOCAL[name] ?? { message: `network ${name} not found` }));
    }
  });
  engine.listen(join(folder, 'engine.sock'));
  await once(engine, 'listening');
  rig = await apiRig({ engineSocket: join(folder, 'engine.sock') });
  await rig.call('POST', '/networks/create', { Name: 'web', Driver: 'overlay' });
});
afterAll(async () => {
  await rig.close();
  engine.closeAllConnections();
  engine.close();
  rmSync(folder, { recursive: true });
});

const answerTo = async (method: string, url: string, body?: object): Promise<readonly [number, string | undefined]> => {
  const { status, json } = await rig.call(method, url, body);
  return [status, (json as { readonly message?: string }).message];
};

const onNetwork = (Target: string) => ({
  Name: 's',
  TaskTemplate: { ContainerSpec: { Image: 'a' }, Networks: [{ Target }] },
});

describe('names of networks', () => {
  it('are given once, in the swarm or on the machine', async () => {
    const taken = [409, 'network with name web already exists'];
    expect(await answerTo('POST', '/networks/create', { Name: 'web' })).toEqual(taken);
    expect(await answerTo('POST', '/networks/create', { Name: 'WEB' })).toEqual([200, undefined]);
    const local = { Name: 'loc', Driver: 'overlay' };
    const takenHere = [409, 'network with name loc already exists'];
    expect(await answerTo('POST', '/v1.41/networks/create', { ...local, CheckDuplicate: true })).toEqual(takenHere);
    expect(await answerTo('POST', '/v1.44/networks/create', local)).toEqual(takenHere);
    expect((await answerTo('POST', '/v1.41/networks/create', local))[0]).toBe(201);
  });

  it('are looked for where the client says', async () => {
    expect(await answerTo('GET', '/networks/none?scope=local')).toEqual([200, undefined]);
    expect(await answerTo('GET', '/networks/none?scope=bogus')).toEqual([404, 'network none not found']);
  });
});

describe('networks of a machine', () => {
  it('are none for services', async () => {
    expect(await answerTo('POST', '/services/create', onNetwork('none'))).toEqual([
      404,
      'could not find the corresponding predefined swarm network: network none not found',
    ]);
    expect(await answerTo('POST', '/services/create', onNetwork('nosuch'))).toEqual([500, 'network nosuch not found']);
    await rig.call('DELETE', '/networks/loc');
    const here = await apiRig({ engineSocket: join(folder, 'engine.sock') });
    const refused = await here.call('POST', '/services/create', onNetwork('loc'));
    await here.close();
    expect([refused.status, refused.message]).toEqual([
      403,
      'The network loc cannot be used with services. Only networks scoped to the swarm can be used, such as those created with the overlay driver.',
    ]);
  });
});

describe('a prune', () => {
  const until = (...times: readonly string[]) =>
    answerTo('POST', `/networks/prune?filters=${encodeURIComponent(JSON.stringify({ until: times }))}`);

  it('takes what was made before a time, or a while ago', async () => {
    expect((await rig.call('POST', '/networks/prune?filters={"until":["24h"]}')).json['NetworksDeleted']).toBe(null);
    expect((await rig.call('POST', '/networks/prune?filters={"until":["1"]}')).json['NetworksDeleted']).toBe(null);
    expect((await rig.call('POST', '/networks/prune?filters={"until":["-1h"]}')).json['NetworksDeleted']).toContain(
      'web',
    );
  });

  it('refuses what is no time', async () => {
    expect(await until('x')).toEqual([500, 'failed to parse value as time or duration: "x"']);
    expect(await until('1', '2')).toEqual([500, 'more than one until filter specified']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRig, type ApiRig } from '../../support/api-rig.ts';

let rig: ApiRig;
beforeAll(async () => {
  rig = await apiRig();
});
afterAll(() => rig.close());

describe('negotiation', () => {
  it('answers pings with the headers clients negotiate by', async () => {
    const head = await rig.call('HEAD', '/_ping');
    expect(head.status).toBe(200);
    expect(head.headers).toMatchObject({
      'api-version': '1.41',
      'docker-experimental': 'false',
      ostype: 'linux',
      server: 'Docker/0.1.0 (linux)',
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '0',
    });
    expect(head.headers['swarm']).toBeUndefined();
    expect((await rig.call('GET', '/v1.30/_ping')).text).toBe('OK');
  });

  it('tells the state of the swarm to newer clients', async () => {
    const newer = await apiRig({ apiVersion: '1.44' });
    expect((await newer.call('HEAD', '/_ping')).headers).toMatchObject({
      'api-version': '1.44',
      swarm: 'active/manager',
    });
    newer.setNode({ state: 'locked' }, false);
    expect((await newer.call('HEAD', '/_ping')).headers['swarm']).toBe('locked');
    await newer.close();
  });

  it('refuses versions it does not speak', async () => {
    const tooNew = await rig.call('GET', '/v1.99/info');
    expect([tooNew.status, tooNew.message]).toEqual([
      400,
      'client version 1.99 is too new. Maximum supported API version is 1.51',
    ]);
    expect((await rig.call('GET', '/v1/info')).message).toMatch(/^client version 1 is too old/);
    expect((await rig.call('GET', '/v2/info')).message).toMatch(/^client version 2 is too new/);
    const tooOld = await rig.call('GET', '/v1.11/info');
    expect([tooOld.status, tooOld.message]).toEqual([
      400,
      'client version 1.11 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ]);
  });

  it.each([
    ['GET', '/nosuch'],
    ['GET', '/v1.41/nosuch'],
    ['POST', '/v1.41/services'],
    ['GET', '/v1.41/services/'],
    ['GET', '/nodes/'],
    ['GET', '/services/x/'],
    ['POST', '/networks/create/'],
    ['HEAD', '/v1.41/services'],
    ['PUT', '/v1.41/services/create'],
    ['GET', '/v1.41'],
  ])('%s %s is no page', async (method, url) => {
    const answer = await rig.call(method, url);
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('application/json');
    if (method !== 'HEAD') expect(answer.text).toBe('{"message":"page not found"}\n');
  });

  it.each(['/networks/', '/v1.41/networks/?filters={}'])(
    'but %s is one, as the networks alone are with Docker',
    async (url) => {
      expect((await rig.call('GET', url)).text).toBe((await rig.call('GET', '/networks')).text);
    },
  );

  it('answers OPTIONS of anything, and sends double slashes to the right place', async () => {
    expect((await rig.call('OPTIONS', '/v1.41/services')).status).toBe(200);
    const redirect = await rig.call('GET', '//services?a=//b');
    expect([redirect.status, redirect.headers['location']]).toEqual([301, '/services?a=//b']);
  });

  it('survives addresses that cannot be read', async () => {
    const answer = await rig.call('GET', '/services/%zz');
    expect(answer.status).toBe(400);
    expect(answer.message).toContain('%zz');
  });

  it('ignores parameters it does not know, however many', async () => {
    const answer = await rig.call('GET', `/v1.41/services?name=x&TaskTemplate=${'a'.repeat(200_000)}`);
    expect([answer.status, answer.text]).toEqual([200, '[]\n']);
  });
});

describe('version and info', () => {
  it('tell what clients branch on', async () => {
    const version = (await rig.call('GET', '/version')).json;
    expect(version).toMatchObject({
      Version: '0.1.0',
      ApiVersion: '1.41',
      MinAPIVersion: '1.24',
      Os: 'linux',
      Arch: 'amd64',
    });
    expect(version['Components']?.[0]).toMatchObject({
      Name: 'Engine',
      Details: { ApiVersion: '1.41', MinAPIVersion: '1.24', Os: 'linux', Arch: 'amd64', Experimental: 'false' },
    });
    const info = (await rig.call('GET', '/v1.41/info')).json;
    expect(info).toMatchObject({
      Name: 'host1',
      NCPU: 2,
      MemTotal: 4000000000,
      OSType: 'linux',
      Architecture: 'x86_64',
    });
    expect(info['Swarm']).toMatchObject({
      NodeID: 'node1aaaaaaaaaaaaaaaaaaaa',
      NodeAddr: '127.0.0.1',
      LocalNodeState: 'active',
      ControlAvailable: true,
      Error: '',
      RemoteManagers: [{ NodeID: 'node1aaaaaaaaaaaaaaaaaaaa', Addr: '127.0.0.1:2377' }],
      Nodes: 1,
      Managers: 1,
    });
    expect(info['Swarm']?.['Cluster']?.['Spec']?.['Name']).toBe('default');
    expect(JSON.stringify(info)).not.toContain('SWMTKN');
  });
});

describe('what has no engine behind it', () => {
  it.each([
    ['/containers/json', '[]'],
    ['/images/json', '[]'],
    ['/plugins', '[]'],
    ['/volumes', '{"Volumes":[],"Warnings":null}'],
    ['/system/df', '{"LayersSize":0,"Images":[],"Containers":[],"Volumes":[],"BuildCache":[]}'],
  ])('GET %s is empty', async (url, text) => {
    const answer = await rig.call('GET', `/v1.41${url}`);
    expect([answer.status, answer.text]).toEqual([200, `${text}\n`]);
  });

  it.each([
    ['GET', '/containers/x/json', 404, 'No such container: x'],
    ['POST', '/containers/x/start', 404, 'No such container: x'],
    ['DELETE', '/containers/x?force=1', 404, 'No such container: x'],
    ['GET', '/images/a/b:c/json', 404, 'no such image: a/b:c: No such image: a/b:c'],
    ['GET', '/images/x/json', 404, 'no such image: x: No such image: x:latest'],
    ['GET', '/volumes/x', 404, 'get x: no such volume'],
    ['GET', '/plugins/x/json', 404, 'plugin "x" not found'],
    ['GET', '/distribution/a/b:c/json', 404, 'no registry is asked for a/b:c: its digest is not pinned'],
    ['GET', '/distribution/bad%20image%21/json', 400, 'invalid reference format'],
    [
      'POST',
      '/networks/create',
      501,
      'networks with driver "bridge" belong to one machine, and this node has no container engine: use driver "overlay", or scope "swarm"',
    ],
  ])('%s %s', async (method, url, status, message) => {
    const answer = await rig.call(
      method,
      `/v1.41${url}`,
      method === 'POST' ? { Driver: 'bridge', Name: 'n' } : undefined,
    );
    expect([answer.status, answer.message]).toEqual([status, message]);
  });
});

describe("swarmd's own routes", () => {
  it('tell the state of the managers', async () => {
    const status = (await rig.call('GET', '/swarmd/status')).json;
    expect(status).toMatchObject({ version: '0.1.0', isLeader: true, term: 2, stateHash: 'ab'.repeat(32) });
    expect((await rig.call('GET', '/livez')).text).toBe('ok\n');
    expect((await rig.call('GET', '/readyz')).status).toBe(200);
    expect((await rig.call('GET', '/metrics')).headers['content-type']).toContain('text/plain');
  });

  it('give a backup, which holds every secret, to nobody on the network', async () => {
    const answer = await rig.call('GET', '/swarmd/backup');
    expect(answer.status).toBe(403);
    expect(answer.message).toContain('take it over the unix socket');
  });

  it('explain where the tasks of a service are', async () => {
    await rig.call('POST', '/services/create', { Name: 'why', TaskTemplate: { ContainerSpec: { Image: 'a' } } });
    const answer = await rig.call('GET', '/swarmd/services/why/explain');
    expect(answer.json['tasks']).toEqual([]);
    expect((await rig.call('GET', '/swarmd/services/nosuch/explain')).status).toBe(404);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRig, type ApiRig } from '../../support/api-rig.ts';

let rig: ApiRig;
beforeAll(async () => {
  rig = await apiRig({ maxBodyBytes: 100_000 });
  await rig.call('POST', '/services/create', { Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'a' } } });
});
afterAll(() => rig.close());

const spec = (container: object, more: object = {}, task: object = {}) => ({
  Name: 'x',
  TaskTemplate: { ContainerSpec: { Image: 'a', ...container }, ...task },
  ...more,
});

const CREATE = '/v1.41/services/create';

describe('bodies of wrong shape', () => {
  it.each([
    [
      spec({}, { Mode: { Replicated: { Replicas: '3' } } }),
      'json: cannot unmarshal string into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64',
    ],
    [
      spec({}, { Mode: { Replicated: { Replicas: -1 } } }),
      'json: cannot unmarshal number -1 into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64',
    ],
    [
      spec({}, { Mode: { Replicated: { Replicas: 1.5 } } }),
      'json: cannot unmarshal number 1.5 into Go struct field ReplicatedService.Mode.Replicated.Replicas of type uint64',
    ],
    [
      spec({ Image: 7 }),
      'json: cannot unmarshal number into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Image of type string',
    ],
    [
      spec({ Env: 'A=1' }),
      'json: cannot unmarshal string into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Env of type []string',
    ],
    [
      spec({ Env: [1] }),
      'json: cannot unmarshal number into Go struct field ContainerSpec.TaskTemplate.ContainerSpec.Env of type string',
    ],
    [
      spec({}, { Labels: ['a'] }),
      'json: cannot unmarshal array into Go struct field ServiceSpec.Labels of type map[string]string',
    ],
    [
      spec({}, {}, { Placement: true }),
      'json: cannot unmarshal bool into Go struct field TaskSpec.TaskTemplate.Placement of type swarm.Placement',
    ],
    [[], 'json: cannot unmarshal array into Go value of type swarm.ServiceSpec'],
    [
      '{"TaskTemplate":{"Resources":{"Limits":{"MemoryBytes":9007199254740993}}}}',
      'json: cannot unmarshal number 9007199254740993 into Go struct field Limit.TaskTemplate.Resources.Limits.MemoryBytes of type int64: the largest number accepted here is 9007199254740991',
    ],
    [
      '{"TaskTemplate":{"ContainerSpec":{"Image":"i","Healthcheck":{"Retries":4294967296}}}}',
      'json: cannot unmarshal number 4294967296 into Go struct field HealthConfig.TaskTemplate.ContainerSpec.Healthcheck.Retries of type int32',
    ],
    [spec({ Mounts: [{ Type: 'Bogus', Target: '/x' }] }), 'invalid MountType: "Bogus"'],
    [
      spec({ Privileges: { CredentialSpec: { Config: 'c' } } }),
      "rpc error: code = InvalidArgument desc = CredentialSpec references config 'c', but that config isn't in config references with RuntimeTarget",
    ],
    [spec({}, {}, { RestartPolicy: { Condition: 'bogus' } }), 'invalid RestartCondition: "bogus"'],
    [spec({}, { UpdateConfig: { FailureAction: 'bogus' } }), 'unrecognized update failure action bogus'],
    [spec({}, { UpdateConfig: { Order: 'bogus' } }), 'unrecognized update order bogus'],
    [spec({}, { EndpointSpec: { Mode: 'bogus' } }), 'invalid resolution mode: "bogus"'],
    [spec({}, { EndpointSpec: { Ports: [{ Protocol: 'bogus' }] } }), 'invalid port protocol: "bogus"'],
    [spec({}, { Mode: { Global: {}, Replicated: {} } }), 'must specify only one service mode'],
    [
      spec({}, { Labels: JSON.parse('{"__proto__":"x"}') as object }),
      'Labels: the key "__proto__" is reserved: use another',
    ],
    [{ Name: 'x' }, 'mismatched Runtime and *Spec fields'],
    [spec({}, {}, { Runtime: 'bogus' }), 'unsupported runtime'],
  ])('%j is refused', async (body, message) => {
    const answer = await rig.call('POST', CREATE, body);
    expect([answer.status, answer.message]).toEqual([400, message]);
  });

  it.each([
    ['', 'got EOF while reading request body: it is empty, and a JSON document is needed'],
    ['notjson', "invalid character 'o' in literal null (expecting 'u')"],
    ['x{', "invalid character 'x' looking for beginning of value"],
    ['{"Name":"x"', 'unexpected EOF'],
    ['{"Name":"x",}', `invalid character '}' looking for beginning of object key string`],
    ['{"Name" "x"}', `invalid character '"' after object key`],
    ['{"Name":"\n"}', String.raw`invalid character '\n' in string literal`],
    ['{"Name":"\\x"}', "invalid character 'x' in string escape code"],
    ['{"a":-}', "invalid character '}' in numeric literal"],
    [`${'['.repeat(50_000)}`, 'exceeded max depth: JSON may be nested 200 levels deep'],
    [`${'{"a":'.repeat(10_000)}`, 'exceeded max depth: JSON may be nested 200 levels deep'],
  ])('%s is refused', async (body, message) => {
    const answer = await rig.call('POST', CREATE, body);
    expect([answer.status, answer.message]).toEqual([400, message]);
  });

  it('too large a body is refused with the limit', async () => {
    const answer = await rig.call('POST', CREATE, spec({ Env: ['A'.repeat(100_000)] }));
    expect([answer.status, answer.message]).toEqual([
      413,
      'the request body is too large: at most 100000 bytes are accepted',
    ]);
  });

  it('null means absent', async () => {
    const answer = await rig.call('POST', CREATE, {
      Name: 'nulls',
      Labels: null,
      TaskTemplate: { ContainerSpec: { Image: 'a', Env: null, Init: null, Healthcheck: null }, Networks: null },
      Mode: { Replicated: { Replicas: null }, Global: null },
    });
    expect(answer.status).toBe(201);
    expect((await rig.call('GET', '/services/nulls')).json['Spec']?.['Mode']).toEqual({ Replicated: { Replicas: 1 } });
  });

  it('base64 that is none is refused', async () => {
    const answer = await rig.call('POST', '/secrets/create', { Name: 's', Data: '!!!' });
    expect([answer.status, answer.message]).toEqual([400, 'illegal base64 data at input byte 0']);
  });
});

describe('refusals of the use cases', () => {
  it.each([
    [
      spec({ Image: '' }),
      400,
      'rpc error: code = InvalidArgument desc = ContainerSpec: image reference must be provided',
    ],
    [
      spec({ Image: 'BAD IMG' }),
      400,
      'rpc error: code = InvalidArgument desc = ContainerSpec: "BAD IMG" is not a valid repository/tag',
    ],
    [
      { ...spec({}), Name: 'web' },
      409,
      'rpc error: code = AlreadyExists desc = name conflicts with an existing object: service web already exists',
    ],
    [
      { ...spec({}), Name: 'bad name' },
      400,
      'rpc error: code = InvalidArgument desc = name must be valid as a DNS name component',
    ],
    [
      spec({}, {}, { Resources: { Limits: { MemoryBytes: 1048576 } } }),
      400,
      'rpc error: code = InvalidArgument desc = invalid memory value 1048576: Must be at least 4MiB',
    ],
  ])('%j', async (body, status, message) => {
    const answer = await rig.call('POST', CREATE, body);
    expect([answer.status, answer.message]).toEqual([status, message]);
  });

  it.each([
    ['?version=', 400, `invalid service version '': strconv.ParseUint: parsing "": invalid syntax`],
    ['?version=abc', 400, `invalid service version 'abc': strconv.ParseUint: parsing "abc": invalid syntax`],
    [
      '?version=99999999999999999999',
      400,
      `invalid service version '99999999999999999999': strconv.ParseUint: parsing "99999999999999999999": value out of range`,
    ],
    ['?version=1&rollback=x', 500, 'unrecognized rollback option x'],
    ['?version=1&registryAuthFrom=x', 500, 'unsupported registryAuthFrom value'],
    ['?version=1', 501, 'rpc error: code = Unimplemented desc = renaming services is not supported'],
  ])('an update with %s', async (query, status, message) => {
    const answer = await rig.call('POST', `/v1.41/services/web/update${query}`, spec({}));
    expect([answer.status, answer.message]).toEqual([status, message]);
  });

  it.each([
    [{ Role: 'manager' }, `invalid Availability: ""`],
    [{}, `invalid Role: ""`],
    [{ Role: 'bogus', Availability: 'active' }, `invalid Role: "bogus"`],
    [{ Role: 'manager', Availability: 'bogus' }, `invalid Availability: "bogus"`],
  ])('a node cannot become %j', async (body, message) => {
    const answer = await rig.call('POST', '/nodes/host1/update?version=1', body);
    expect([answer.status, answer.message]).toEqual([400, message]);
  });

  it('a node is told its role and availability in letters of any size', async () => {
    const body = { Role: 'MANAGER', Availability: 'Active' };
    expect((await rig.call('POST', '/nodes/host1/update?version=1', body)).status).toBe(200);
  });

  it.each([
    [{ ConfigID: 'c', ConfigName: 'c' }, 'invalid Config: either File or Runtime should be set'],
    [{ ConfigID: 'c', ConfigName: 'c', File: {}, Runtime: {} }, 'invalid Config: cannot specify both File and Runtime'],
  ])('a service cannot refer to a config as %j', async (config, message) => {
    const answer = await rig.call('POST', CREATE, spec({ Configs: [config] }));
    expect([answer.status, answer.message]).toEqual([400, message]);
  });

  it.each([
    [
      { File: 'f', Registry: 'r' },
      'invalid CredentialSpec: cannot specify both "file" and "registry" credential specs',
    ],
    [
      { File: 'f', Registry: 'r', Config: 'c' },
      'invalid CredentialSpec: cannot specify both "config", "file", and "registry" credential specs',
    ],
  ])('a service cannot have the credentials %j', async (CredentialSpec, message) => {
    const answer = await rig.call('POST', CREATE, spec({ Privileges: { CredentialSpec } }));
    expect([answer.status, answer.message]).toEqual([400, message]);
  });

  it.each([
    ['/services?status=bogus', 'invalid value for status: bogus: strconv.ParseBool: parsing "bogus": invalid syntax'],
    ['/networks/n?verbose=x', 'invalid value for verbose: x: strconv.ParseBool: parsing "x": invalid syntax'],
  ])('a flag of %s', async (path, message) => {
    const answer = await rig.call('GET', `/v1.41${path}`);
    expect([answer.status, answer.message]).toEqual([400, message]);
  });

  it('names that hit nothing are 404', async () => {
    for (const kind of ['service', 'node', 'task', 'secret', 'config', 'network']) {
      const answer = await rig.call('GET', `/v1.41/${kind}s/nosuch`);
      expect([answer.status, answer.message]).toEqual([404, `${kind} nosuch not found`]);
    }
  });
});

describe('filters', () => {
  it.each([
    ['/nodes', '{"bogus":["1"]}', 400, "Invalid filter 'bogus'"],
    ['/nodes', '{"role":["bogus"]}', 500, "Invalid role filter: 'bogus'"],
    ['/nodes', '{"membership":["bogus"]}', 500, "Invalid membership filter: 'bogus'"],
    ['/tasks', '{"desired-state":["bogus"]}', 500, "Invalid desired-state filter: 'bogus'"],
    ['/tasks', '{"service":["nosuch"]}', 404, 'service nosuch not found'],
    ['/tasks', '{"node":{"nosuch":true}}', 404, 'node nosuch not found'],
    ['/configs', '{"names":["a"]}', 400, "Invalid filter 'names'"],
    ['/services', 'notjson', 400, "invalid character 'o' in literal null (expecting 'u')"],
    ['/services', '{"name":["x"]', 400, 'unexpected end of JSON input'],
    ['/services', '{} x', 400, "invalid character 'x' after top-level value"],
    [
      '/services',
      '[1]',
      400,
      'json: cannot unmarshal array into Go value of type map[string]map[string]bool: write {"key":{"value":true}} or {"key":["value"]}',
    ],
    [
      '/services',
      '{"name":[1]}',
      400,
      "json: cannot unmarshal array into Go value of type map[string]bool: the values of 'name' must be a list of strings or an object with them as keys and true as values",
    ],
    [
      '/networks',
      '{"name":{"x":"y"}}',
      400,
      "json: cannot unmarshal string into Go value of type bool: the values of 'name' must be a list of strings or an object with them as keys and true as values",
    ],
    ['/networks', '{"type":["bogus"]}', 500, "invalid filter: 'type'='bogus'"],
    [
      '/networks',
      '{"dangling":["maybe"]}',
      400,
      `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
    ],
    ['/networks', '{"dangling":["true","false"]}', 400, 'got more than one value for filter key "dangling"'],
  ])('of %s: %s', async (path, filters, status, message) => {
    const answer = await rig.call('GET', `/v1.41${path}?filters=${encodeURIComponent(filters)}`);
    expect([answer.status, answer.message]).toEqual([status, message]);
  });
});

describe('logs and events', () => {
  it.each([
    ['/services/web/logs', 500, 'Bad parameters: you must choose at least one stream'],
    ['/services/web/logs?stdout=1&tail=abc', 500, 'tail value must be a positive integer or "all"'],
    [
      '/services/web/logs?stdout=1&since=bad',
      500,
      'could not parse since timestamp: strconv.ParseInt: parsing "bad": invalid syntax',
    ],
    ['/services/nosuch/logs?stdout=1', 404, 'service nosuch not found'],
    ['/events?since=abc', 500, 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['/events?since=5.2&until=5.1', 400, '`since` time (5.2) cannot be after `until` time (5.1)'],
  ])('%s', async (url, status, message) => {
    const answer = await rig.call('GET', `/v1.41${url}`);
    expect([answer.status, answer.message]).toEqual([status, message]);
  });
});

import { describe, expect, it } from 'vitest';
import { durationOfMs } from '../../../src/common/time.ts';
import { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { PortConfig_PublishMode as Mode } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { launchPlan, signalOf } from '../../../src/worker/drivers/process/launch-plan.ts';
import { resolveUser } from '../../../src/worker/drivers/process/users.ts';
import { describeHost } from '../../../src/worker/host-description.ts';
import { assignedTask, type TaskGiven } from '../../support/worker-builders.ts';

const node = describeHost({ hostname: 'alpha', engineVersion: 'test', labels: {}, plugins: [] });
const plan = (given: TaskGiven) => launchPlan(assignedTask('t1', given), node);

describe('what a task becomes as a process', () => {
  it('runs command and arguments as Docker joins them', () => {
    expect(plan({ command: ['b'], container: { command: ['a'] } }).argv).toEqual(['a', 'b']);
  });

  it('expands templates in environment and host name', () => {
    const { env, hostname } = plan({
      env: ['NAME={{.Service.Name}}-{{.Task.Slot}}', 'WITH=a=b', 'BARE'],
      container: { hostname: '{{.Node.Hostname}}-{{.Task.Slot}}' },
    });
    expect(env).toMatchObject({ NAME: 'web-1', WITH: 'a=b', HOSTNAME: 'alpha-1', SWARMD_TASK_SLOT: '1' });
    expect(env).not.toHaveProperty('BARE');
    expect(hostname).toBe('alpha-1');
  });

  it('tells the process the host ports that were published for it', () => {
    const task = assignedTask('t1');
    const port = { name: 'http', protocol: 0 as const, targetPort: 80, publishedPort: 8080, publishMode: Mode.HOST };
    const ports = [port, { ...port, publishMode: Mode.INGRESS }];
    const result = launchPlan({ ...task, endpoint: { spec: undefined, ports, virtualIps: [] } }, node);
    expect(result.env).toMatchObject({ SWARMD_PORT_80_TCP: '8080', SWARMD_PORT_HTTP: '8080' });
    expect(result.ports).toEqual([port]);
  });

  it('tells the process the generic resources it was given', () => {
    const named = (value: string) =>
      ({ resource: { $case: 'namedResourceSpec', value: { kind: 'gpu', value } } }) as const;
    const assignedGenericResources = [
      named('a'),
      named('b'),
      { resource: { $case: 'discreteResourceSpec', value: { kind: 'ssd', value: 2 } } } as const,
    ];
    const { env } = launchPlan({ ...assignedTask('t1'), assignedGenericResources }, node);
    expect(env).toMatchObject({ DOCKER_RESOURCE_GPU: 'a,b', DOCKER_RESOURCE_SSD: '2' });
  });

  it('knows signals by name and number, and the grace of Docker', () => {
    expect(['', 'SIGINT', 'quit', '9'].map(signalOf)).toEqual(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL']);
    expect(() => signalOf('SIGNOTHING')).toThrow('stop signal "SIGNOTHING" is not known');
    expect(plan({ container: { stopGracePeriod: undefined } }).stopGraceMs).toBe(10_000);
    expect(plan({ stopGraceMs: 1500 }).stopGraceMs).toBe(1500);
  });

  it('takes log limits from the log driver', () => {
    const task = assignedTask('t1');
    const logs = (name: string, options: Record<string, string>) =>
      launchPlan({ ...task, logDriver: { name, options } }, node).logs;
    expect(logs('json-file', { 'max-size': '64k', 'max-file': '2' })).toEqual({
      isKept: true,
      maxFileBytes: 65_536,
      maxFiles: 2,
    });
    expect(logs('none', {}).isKept).toBe(false);
    expect(logs('', {})).toEqual({ isKept: true, maxFileBytes: 10 * 1024 * 1024, maxFiles: 3 });
  });

  it('reads a health check with the defaults of Docker', () => {
    const health = plan({ health: { test: ['CMD-SHELL', 'curl x'], interval: durationOfMs(2000) } }).health;
    expect(health).toMatchObject({
      command: ['/bin/sh', '-c', 'curl x'],
      intervalMs: 2000,
      timeoutMs: 30_000,
      retries: 3,
    });
    expect(plan({ health: { test: ['NONE'] } }).health).toBeUndefined();
  });

  it('refuses images, and says what to use instead', () => {
    expect(() => plan({ image: 'nginx:1.27' })).toThrow(/image "nginx:1.27" cannot run on this node.*use image host/);
    expect(() => plan({ image: 'host:latest' })).not.toThrow();
    expect(() => plan({ image: 'hostess' })).toThrow('cannot run');
  });

  it('refuses what only a container has rather than leaving it out', () => {
    const refused = (container: TaskGiven['container']) => () => plan({ container: { ...container } });
    expect(refused({ tty: true, readOnly: true })).toThrow('has no tty, no read-only root');
    expect(refused({ args: [] })).toThrow('no command of its own');
    const attachment = Task.fromPartial({ id: 't', spec: { runtime: { $case: 'attachment', value: {} } } });
    expect(() => launchPlan(attachment, node)).toThrow('not tasks of kind "attachment"');
  });
});

describe('the user of a process', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/var/www:/bin/sh\n';
  const group = 'root:x:0:\nweb:x:34:\nlog:x:40:web,other\nextra:x:50:\n';
  const resolve = (user: string, groups: readonly string[] = []) => resolveUser(user, groups, passwd, group);

  it('is found by name or number, with the groups it is a member of', () => {
    expect(resolve('web')).toEqual({ uid: 33, gid: 34, groups: [40], name: 'web', home: '/var/www' });
    expect(resolve('33')).toEqual(resolve('web'));
    expect(resolve('web', ['extra'])).toMatchObject({ groups: [40, 50] });
  });

  it('takes a group of its own instead', () => {
    expect(resolve('web:extra')).toMatchObject({ uid: 33, gid: 50, groups: [] });
    expect(resolve('1234:99')).toMatchObject({ uid: 1234, gid: 99, name: '', home: '/' });
  });

  it('is named when it does not exist', () => {
    expect(() => resolve('nobody-here')).toThrow('user "nobody-here" does not exist on this node');
    expect(() => resolve('web:nogroup')).toThrow('group "nogroup" does not exist on this node');
  });
});

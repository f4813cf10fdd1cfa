/** What the Docker Engine is asked for when a task is to become a container. */
import { describe, expect, it } from 'vitest';
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  HealthConfig,
  Mount,
  Mount_BindOptions_Propagation,
  Mount_Type,
  NodeDescription,
  Privileges,
  Privileges_AppArmorOpts_AppArmorMode,
  Privileges_SeccompOpts_SeccompMode,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { ContainerSpec, ContainerSpec_Isolation } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { containerOptions, graceSecondsOf } from '../../../src/worker/drivers/docker/container-config.ts';
import { assignedTask, onIngress, onOverlay, type TaskGiven } from '../../support/worker-builders.ts';

const NODE = NodeDescription.fromPartial({ hostname: 'n1' });
const optionsOf = (task: Task) => containerOptions(task, NODE, [], []);
const withContainer = (container: TaskGiven['container']) =>
  optionsOf(assignedTask('t1', { image: 'app', container: { ...container } }));

describe('the options of a container', () => {
  it('leave command, user and folder to the image where the task says nothing', () => {
    const options = withContainer({ args: [] });
    for (const key of ['Entrypoint', 'Cmd', 'User', 'WorkingDir', 'Hostname', 'StopSignal', 'Healthcheck'])
      expect(options).not.toHaveProperty(key);
    expect(options.HostConfig).not.toHaveProperty('Memory');
    expect(options.HostConfig).not.toHaveProperty('NetworkMode');
  });

  it('keep command and arguments apart', () => {
    expect(withContainer({ command: ['/run'], args: ['a'] })).toMatchObject({ Entrypoint: ['/run'], Cmd: ['a'] });
  });

  it('name the isolation, as Docker does where the service says nothing', () => {
    expect(withContainer({}).HostConfig?.Isolation).toBe('default');
    expect(withContainer({ isolation: ContainerSpec_Isolation.HYPERV }).HostConfig?.Isolation).toBe('hyperv');
  });

  it('say how often health is asked for while a container starts only where the service does', () => {
    const healthcheck = HealthConfig.fromPartial({ startInterval: { seconds: 1 } });
    expect(withContainer({ healthcheck }).Healthcheck).toMatchObject({ StartInterval: 1e9 });
    const plain = withContainer({ healthcheck: HealthConfig.fromPartial({}) });
    expect(plain.Healthcheck).not.toHaveProperty('StartInterval');
  });

  it('round the grace period up to seconds', () => {
    const spec = ContainerSpec.fromPartial({ stopGracePeriod: { seconds: 1, nanos: 1 } });
    expect(graceSecondsOf(spec)).toBe(2);
    expect(graceSecondsOf(ContainerSpec.fromPartial({}))).toBe(10);
  });

  it('let labels of the swarm win over the own ones of the service', () => {
    const options = withContainer({ labels: { own: 'x', 'com.docker.swarm.task.id': 'forged' } });
    expect(options.Labels).toMatchObject({ own: 'x', 'com.docker.swarm.task.id': 't1' });
  });

  it('expand templates in environment, host name and mounts', () => {
    const mounts = [Mount.fromPartial({ type: Mount_Type.VOLUME, source: 'data-{{.Task.Slot}}', target: '/data' })];
    const options = withContainer({ env: ['N={{.Node.Hostname}}'], hostname: '{{.Service.Name}}', mounts });
    expect(options).toMatchObject({ Env: ['N=n1'], Hostname: 'web' });
    expect(options.HostConfig?.Mounts).toMatchObject([{ Type: 'volume', Source: 'data-1', Target: '/data' }]);
  });

  it('carry the propagation of binds', () => {
    const bindOptions = { propagation: Mount_BindOptions_Propagation.RSLAVE };
    const mounts = [Mount.fromPartial({ type: Mount_Type.BIND, source: '/a', target: '/b', bindOptions })];
    expect(withContainer({ mounts }).HostConfig?.Mounts).toMatchObject([{ BindOptions: { Propagation: 'rslave' } }]);
  });

  it('refuse mounts the engine has no kind for, naming the target', () => {
    const mounts = [Mount.fromPartial({ type: Mount_Type.NPIPE, source: 'a', target: '/pipe' })];
    expect(() => withContainer({ mounts })).toThrow('mount /pipe');
  });

  it('name every security setting as the engine wants it', () => {
    const privileges = {
      ...Privileges.fromPartial({
        selinuxContext: { user: 'u', level: 'l' },
        apparmor: { mode: Privileges_AppArmorOpts_AppArmorMode.DISABLED },
        noNewPrivileges: true,
      }),
      seccomp: { mode: Privileges_SeccompOpts_SeccompMode.CUSTOM, profile: Buffer.from('{"a":1}') },
    };
    expect(withContainer({ privileges }).HostConfig?.SecurityOpt).toEqual([
      'label=user:u',
      'label=level:l',
      'seccomp={"a":1}',
      'apparmor=unconfined',
      'no-new-privileges=true',
    ]);
  });

  it('give aliases only in networks that take them', () => {
    const task = assignedTask('t1', { image: 'app' });
    const on = (name: string) =>
      optionsOf({
        ...task,
        networks: [
          { network: { driverState: { name } }, aliases: ['db'], addresses: [] },
        ] as unknown as Task['networks'],
      });
    expect(on('own').NetworkingConfig?.EndpointsConfig).toMatchObject({ own: { Aliases: ['db'] } });
    for (const name of ['host', 'bridge', 'none']) {
      expect(on(name)).not.toHaveProperty('NetworkingConfig');
      expect(on(name).HostConfig?.NetworkMode).toBe(name);
    }
  });

  it('fix address and name server on overlay networks, and leave the routing mesh out', () => {
    const networks = [onIngress(), onOverlay('back', '10.0.1.5/24', ['db'])];
    const task = { ...assignedTask('t1', { image: 'app' }), networks };
    const options = containerOptions(task, NODE, [], ['192.0.2.53']);
    expect(options.HostConfig).toMatchObject({ NetworkMode: 'back', Dns: ['10.0.1.1', '192.0.2.53'] });
    // Names are ours to answer: the engine would know those of its own containers only.
    expect(options.NetworkingConfig?.EndpointsConfig).toEqual({
      back: { IPAMConfig: { IPv4Address: '10.0.1.5' }, MacAddress: '02:42:0a:00:01:05' },
    });
  });

  it('put a container once into a network that is named twice', () => {
    const networks = [onOverlay('back', '10.0.1.5/24'), onOverlay('back', '10.0.1.6/24')];
    const options = containerOptions({ ...assignedTask('t1', { image: 'app' }), networks }, NODE, [], []);
    expect(options.NetworkingConfig?.EndpointsConfig).toMatchObject({
      back: { IPAMConfig: { IPv4Address: '10.0.1.6' } },
    });
  });

  it('ask the servers a service names instead of those of the machine', () => {
    const container = { dnsConfig: { nameservers: ['198.51.100.1'], search: [], options: [] } };
    const task = { ...assignedTask('t1', { container }), networks: [onOverlay('back', '10.0.1.5/24')] };
    expect(containerOptions(task, NODE, [], ['192.0.2.53']).HostConfig?.Dns).toEqual(['10.0.1.1', '198.51.100.1']);
  });

  it('list the generic resources the task was given', () => {
    const task = assignedTask('t1', { image: 'app' });
    const given = (kind: string, value: string) => ({
      resource: { $case: 'namedResourceSpec' as const, value: { kind, value } },
    });
    const options = optionsOf({ ...task, assignedGenericResources: [given('GPU', 'a'), given('GPU', 'b')] });
    expect(options.Env).toEqual(['DOCKER_RESOURCE_GPU=a,b']);
  });
});

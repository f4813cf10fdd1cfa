/** A task as the options of a container. Pure: what the engine is asked for depends on the task and the node alone. */
import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';
import { SwarmError } from '../../../common/errors.ts';
import { TASK_LABEL } from '../../../common/task-label.ts';
import { msOfDuration } from '../../../common/time.ts';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import { ContainerSpec_Isolation, type ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  Mount_BindOptions_Propagation,
  Mount_Type,
  PortConfig_Protocol,
  PortConfig_PublishMode,
  Privileges_AppArmorOpts_AppArmorMode,
  Privileges_SeccompOpts_SeccompMode,
  type Mount,
  type NodeDescription,
  type PortConfig,
} from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Duration } from '../../../proto/generated/google/protobuf/duration.ts';
import { genericEnvironment } from '../../task-environment.ts';
import { taskName, templateContext } from '../../../common/task-naming.ts';
import { expandTemplate } from '../../../common/service-template.ts';
import { endpointsOf, nameServers } from './container-networks.ts';

export const NODE_LABEL = 'com.docker.swarm.node.id';
const DEFAULT_GRACE_MS = 10_000;
const NS_PER_MS = 1e6;

/** A secret or config as a file on the host that the container sees at `target`. */
export interface FileMount {
  readonly source: string;
  readonly target: string;
}

/** Throws invalidArgument when the task is not one for containers. */
export function containerSpecOf(task: Task): ContainerSpec {
  const runtime = task.spec?.runtime;
  if (runtime?.$case !== 'container') {
    throw new SwarmError(
      'invalidArgument',
      `the docker runtime cannot run task ${task.id}: it has no container specification`,
    );
  }
  return runtime.value;
}

/** How long a container may take to stop, rounded up to the seconds engines count in. It is said when it is stopped, as Docker does. */
export const graceSecondsOf = ({ stopGracePeriod }: ContainerSpec): number =>
  Math.ceil((stopGracePeriod ? msOfDuration(stopGracePeriod) : DEFAULT_GRACE_MS) / 1000);

/**
 * @param upstream name servers of the machine, asked after the swarm's own by tasks on overlay networks
 */
export function containerOptions(
  task: Task,
  node: NodeDescription,
  files: readonly FileMount[],
  upstream: readonly string[],
): ContainerCreateOptions {
  const spec = containerSpecOf(task);
  const context = templateContext(task, node);
  const expand = (text: string): string => expandTemplate(text, context);
  const ports = hostPorts(task);
  const hostname = expand(spec.hostname);
  const [first] = endpointsOf(task);
  return {
    name: taskName(task),
    Image: spec.image,
    ...(spec.command.length > 0 ? { Entrypoint: [...spec.command] } : {}),
    ...(spec.args.length > 0 ? { Cmd: [...spec.args] } : {}),
    Env: [...spec.env.map(expand), ...lines(genericEnvironment(task.assignedGenericResources))],
    ...(hostname ? { Hostname: hostname } : {}),
    ...(spec.user ? { User: spec.user } : {}),
    ...(spec.dir ? { WorkingDir: spec.dir } : {}),
    ...(spec.stopSignal ? { StopSignal: spec.stopSignal } : {}),
    Tty: spec.tty,
    OpenStdin: spec.openStdin,
    Labels: labelsOf(task, spec),
    ...healthOf(spec),
    ExposedPorts: Object.fromEntries(ports.map((port) => [portKey(port), {}])),
    HostConfig: {
      ...hostConfig(task, spec, files, ports, expand),
      ...nameServers(task, spec, upstream),
      ...(first ? { NetworkMode: first.network } : {}),
    },
    ...(first?.settings ? { NetworkingConfig: { EndpointsConfig: { [first.network]: first.settings } } } : {}),
  };
}

function labelsOf(task: Task, spec: ContainerSpec): Record<string, string> {
  return {
    ...spec.labels,
    [NODE_LABEL]: task.nodeId,
    'com.docker.swarm.service.id': task.serviceId,
    'com.docker.swarm.service.name': task.serviceAnnotations?.name ?? '',
    'com.docker.swarm.task': '',
    [TASK_LABEL]: task.id,
    'com.docker.swarm.task.name': taskName(task),
  };
}

const lines = (env: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

const ns = (duration: Duration | undefined): number => (duration ? Math.round(msOfDuration(duration) * NS_PER_MS) : 0);

function healthOf({ healthcheck }: ContainerSpec): Pick<ContainerCreateOptions, 'Healthcheck'> {
  if (!healthcheck) return {};
  return {
    Healthcheck: {
      Test: [...healthcheck.test],
      Interval: ns(healthcheck.interval),
      Timeout: ns(healthcheck.timeout),
      Retries: healthcheck.retries,
      StartPeriod: ns(healthcheck.startPeriod),
      // Engines know it from API 1.44 on; older ones leave it aside.
      ...(healthcheck.startInterval ? { StartInterval: ns(healthcheck.startInterval) } : {}),
    },
  };
}

function hostConfig(
  task: Task,
  spec: ContainerSpec,
  files: readonly FileMount[],
  ports: readonly PortConfig[],
  expand: (text: string) => string,
): HostConfig {
  // What is reserved decides where a task goes; the engine is not told, as it would refuse more than the limit.
  const limits = task.spec?.resources?.limits;
  const log = task.spec?.logDriver ?? task.logDriver;
  return {
    Mounts: [...spec.mounts.map((mount) => mountOf(mount, expand)), ...files.map(fileMount)],
    ReadonlyRootfs: spec.readOnly,
    Isolation: wordOf(ContainerSpec_Isolation, spec.isolation),
    ...(spec.init === undefined ? {} : { Init: spec.init }),
    GroupAdd: ifAny(spec.groups),
    CapAdd: ifAny(spec.capabilityAdd),
    CapDrop: ifAny(spec.capabilityDrop),
    Ulimits: spec.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    Sysctls: { ...spec.sysctls },
    ...(spec.oomScoreAdj ? { OomScoreAdj: spec.oomScoreAdj } : {}),
    ...(limits?.nanoCpus ? { NanoCpus: limits.nanoCpus } : {}),
    ...(limits?.memoryBytes ? { Memory: limits.memoryBytes } : {}),
    ...(spec.pidsLimit ? { PidsLimit: spec.pidsLimit } : {}),
    DnsSearch: ifAny(spec.dnsConfig?.search),
    DnsOptions: ifAny(spec.dnsConfig?.options),
    ExtraHosts: ifAny(spec.hosts.flatMap(extraHosts)),
    SecurityOpt: ifAny(securityOptions(spec)),
    ...(log?.name ? { LogConfig: { Type: log.name, Config: { ...log.options } } } : {}),
    PortBindings: Object.fromEntries(
      ports.map((port) => [portKey(port), [{ HostPort: port.publishedPort ? String(port.publishedPort) : '' }]]),
    ),
  };
}

/** An engine shows an empty list as it was sent; Docker Swarm leaves it out. */
const ifAny = (list: readonly string[] | undefined): string[] | undefined => (list?.length ? [...list] : undefined);

/** "10.0.0.1 name alias" becomes "name:10.0.0.1", "alias:10.0.0.1". */
function extraHosts(line: string): readonly string[] {
  const [ip = '', ...names] = line.split(/\s+/);
  return names.map((name) => `${name}:${ip}`);
}

function securityOptions({ privileges }: ContainerSpec): string[] {
  if (!privileges) return [];
  const { selinuxContext: selinux, seccomp, apparmor, noNewPrivileges } = privileges;
  const options: string[] = [];
  if (selinux?.disable) options.push('label=disable');
  for (const key of ['user', 'role', 'type', 'level'] as const)
    if (selinux?.[key]) options.push(`label=${key}:${selinux[key]}`);
  if (seccomp?.mode === Privileges_SeccompOpts_SeccompMode.UNCONFINED) options.push('seccomp=unconfined');
  if (seccomp?.mode === Privileges_SeccompOpts_SeccompMode.CUSTOM)
    options.push(`seccomp=${seccomp.profile.toString('utf8')}`);
  if (apparmor?.mode === Privileges_AppArmorOpts_AppArmorMode.DISABLED) options.push('apparmor=unconfined');
  if (noNewPrivileges) options.push('no-new-privileges=true');
  return options;
}

const MOUNT_TYPES: Readonly<Record<number, MountSettings['Type']>> = {
  [Mount_Type.BIND]: 'bind',
  [Mount_Type.VOLUME]: 'volume',
  [Mount_Type.TMPFS]: 'tmpfs',
};

/** The engine's word for a value of an enumeration: its name in lower case. */
const wordOf = (values: Readonly<Record<string, number>>, wanted: number): string =>
  Object.entries(values)
    .find(([, value]) => value === wanted)?.[0]
    .toLowerCase() ?? '';

function mountOf(mount: Mount, expand: (text: string) => string): MountSettings {
  const type = MOUNT_TYPES[mount.type];
  if (!type)
    throw new SwarmError(
      'invalidArgument',
      `mount ${mount.target}: this kind of mount cannot be made by the docker runtime; use bind, volume or tmpfs`,
    );
  const { bindOptions: bind, volumeOptions: volume, tmpfsOptions: tmpfs } = mount;
  return {
    Type: type,
    Target: expand(mount.target),
    Source: expand(mount.source),
    ReadOnly: mount.readonly,
    ...(type === 'bind' && bind
      ? { BindOptions: { Propagation: wordOf(Mount_BindOptions_Propagation, bind.propagation) as 'rprivate' } }
      : {}),
    ...(type === 'volume' && volume
      ? {
          VolumeOptions: {
            NoCopy: volume.nocopy,
            Labels: Object.fromEntries(Object.entries(volume.labels).map(([key, value]) => [key, expand(value)])),
            DriverConfig: { Name: volume.driverConfig?.name ?? '', Options: { ...volume.driverConfig?.options } },
          },
        }
      : {}),
    ...(type === 'tmpfs' && tmpfs ? { TmpfsOptions: { SizeBytes: tmpfs.sizeBytes, Mode: tmpfs.mode } } : {}),
  };
}

const fileMount = ({ source, target }: FileMount): MountSettings => ({
  Type: 'bind',
  Source: source,
  Target: target,
  ReadOnly: true,
});

/** Ports published in host mode: those the engine itself binds. */
export const hostPorts = (task: Task): readonly PortConfig[] =>
  (task.endpoint?.ports ?? task.endpoint?.spec?.ports ?? []).filter(
    (port) => port.publishMode === PortConfig_PublishMode.HOST,
  );

const PROTOCOLS: Readonly<Record<number, string>> = {
  [PortConfig_Protocol.TCP]: 'tcp',
  [PortConfig_Protocol.UDP]: 'udp',
  [PortConfig_Protocol.SCTP]: 'sctp',
};

export const portKey = (port: PortConfig): string => `${port.targetPort}/${PROTOCOLS[port.protocol] ?? 'tcp'}`;

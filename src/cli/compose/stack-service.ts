/** A service of a compose file as the API takes it: field by field what the Docker CLI makes of it. */
import { SwarmError } from '../../common/errors.ts';
import { taggedImage } from '../values.ts';
import { isExternal, type ComposeFile } from './file-shape.ts';
import type { ComposeMount } from './mounts.ts';
import type { ComposeService, ComposeUpdateConfig, FileReference } from './service-shape.ts';
import type { Dictionary } from './shape.ts';
import { DEFAULT_NETWORK, IMAGE_LABEL, nameInSwarm, own, stackLabels } from './stack-objects.ts';

/** Ids by name, of the secrets and configs there are. */
export interface KnownData {
  readonly secrets: ReadonlyMap<string, string>;
  readonly configs: ReadonlyMap<string, string>;
}

export interface StackServiceInput {
  readonly stack: string;
  /** As the file calls it. */
  readonly name: string;
  readonly service: ComposeService;
  readonly file: ComposeFile;
  readonly known: KnownData;
}

const FILE_MODE = 0o444;

/** Throws invalidArgument or notFound naming service and field. */
export function stackService(input: StackServiceInput): Record<string, unknown> {
  const { stack, name, service } = input;
  const { deploy = {}, image } = service;
  if (image === undefined) throw wrong(input, 'image', 'is missing', 'name the image, for example image: nginx:1.27');
  return {
    Name: `${stack}_${name}`,
    Labels: { ...stackLabels(stack, deploy.labels), [IMAGE_LABEL]: image },
    TaskTemplate: {
      ContainerSpec: containerSpec(input, image),
      ...(service.logging
        ? { LogDriver: compact({ Name: service.logging.driver, Options: service.logging.options }) }
        : {}),
      Resources: resources(deploy.resources),
      ...restartPolicy(service),
      Placement: compact({
        Constraints: deploy.placement?.constraints,
        Preferences: deploy.placement?.preferences?.map((spread) => ({ Spread: { SpreadDescriptor: spread } })),
        MaxReplicas: deploy.placement?.max_replicas_per_node,
      }),
      ForceUpdate: 0,
      Networks: networks(input),
    },
    Mode: mode(input),
    ...(deploy.update_config ? { UpdateConfig: updateConfig(deploy.update_config) } : {}),
    ...(deploy.rollback_config ? { RollbackConfig: updateConfig(deploy.rollback_config) } : {}),
    EndpointSpec: compact({ Mode: deploy.endpoint_mode, Ports: ports(service) }),
  };
}

function containerSpec(input: StackServiceInput, image: string): object {
  const { stack, service } = input;
  return compact({
    Image: taggedImage(image),
    Labels: stackLabels(stack, service.labels),
    Command: service.entrypoint,
    Args: service.command,
    Hostname: service.hostname,
    Env: nonEmpty(
      Object.entries(service.environment ?? {})
        .map(([key, value]) => (value === null ? key : `${key}=${value}`))
        .sort(),
    ),
    Dir: service.working_dir,
    User: service.user,
    Privileges: { CredentialSpec: credentialSpec(service), SELinuxContext: null },
    Init: service.init,
    StopSignal: service.stop_signal,
    TTY: service.tty,
    OpenStdin: service.stdin_open,
    ReadOnly: service.read_only,
    Mounts: nonEmpty([
      ...(service.volumes ?? []).map((mount) => mountOf(input, mount)),
      ...(service.tmpfs ?? []).map((target) => ({ Type: 'tmpfs', Target: target })),
    ]),
    StopGracePeriod: service.stop_grace_period,
    Healthcheck: healthcheck(service),
    Hosts: nonEmpty((service.extra_hosts ?? []).map(([host, address]) => `${address} ${host}`)),
    DNSConfig:
      service.dns || service.dns_search ? compact({ Nameservers: service.dns, Search: service.dns_search }) : undefined,
    Secrets: references(input, 'secret', service.secrets),
    Configs: references(input, 'config', service.configs),
    Isolation: service.isolation,
    Sysctls: service.sysctls,
    ...capabilities(service),
    Ulimits: nonEmpty(
      Object.entries(service.ulimits ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([ulimit, { soft, hard }]) => ({ Name: ulimit, Hard: hard, Soft: soft })),
    ),
    OomScoreAdj: service.oom_score_adj,
  });
}

/** "CAP_" may be left out; what is both added and dropped is added. */
function capabilities({ cap_add: add = [], cap_drop: drop = [] }: ComposeService): object {
  const normal = (names: readonly string[]): readonly string[] =>
    [...new Set(names.map((name) => name.trim().toUpperCase()))]
      .map((name) => (name === 'ALL' || name === 'RESET' || name.startsWith('CAP_') ? name : `CAP_${name}`))
      .sort();
  const added = normal(add);
  const dropped = normal(drop).filter((name) => !added.includes(name));
  return compact({
    CapabilityAdd: nonEmpty(added.includes('ALL') ? ['ALL'] : added),
    CapabilityDrop: nonEmpty(dropped.includes('ALL') ? ['ALL'] : dropped),
  });
}

function credentialSpec({ credential_spec: spec }: ComposeService): object | null {
  if (!spec) return null;
  return { Config: '', File: spec.file ?? '', Registry: spec.registry ?? '' };
}

function healthcheck({ healthcheck: check }: ComposeService): object | undefined {
  if (!check) return undefined;
  if (check.disable) return { Test: ['NONE'] };
  return compact({
    Test: check.test,
    Interval: unlessZero(check.interval),
    Timeout: unlessZero(check.timeout),
    StartPeriod: unlessZero(check.start_period),
    StartInterval: unlessZero(check.start_interval),
    Retries: unlessZero(check.retries),
  });
}

function mountOf(input: StackServiceInput, mount: ComposeMount): object {
  const { stack, file } = input;
  const { type, source, target, bind, volume, tmpfs } = mount;
  const common = compact({ Type: type, Source: source, Target: target, ReadOnly: mount.read_only });
  if (type === 'bind' || type === 'npipe') {
    return { ...common, ...(bind?.propagation ? { BindOptions: { Propagation: bind.propagation } } : {}) };
  }
  if (type === 'tmpfs') return { ...common, ...(tmpfs?.size ? { TmpfsOptions: { SizeBytes: tmpfs.size } } : {}) };
  const options = compact({ NoCopy: volume?.nocopy, Subpath: volume?.subpath });
  if (source === undefined) return volume ? { ...common, VolumeOptions: options } : common;
  const declared = own(file.volumes, source);
  if (!declared) {
    throw wrong(
      input,
      'volumes',
      `the volume "${source}" is not declared`,
      `add it below volumes: of the file, or write ./${source} for a folder`,
    );
  }
  const named = { ...common, Source: nameInSwarm(stack, source, declared) };
  if (isExternal(declared)) return volume ? { ...named, VolumeOptions: options } : named;
  const hasDriver = declared.driver !== undefined || declared.driver_opts !== undefined;
  return {
    ...named,
    VolumeOptions: {
      ...options,
      Labels: stackLabels(stack, declared.labels),
      ...(hasDriver ? { DriverConfig: compact({ Name: declared.driver, Options: declared.driver_opts }) } : {}),
    },
  };
}

function references(
  input: StackServiceInput,
  kind: 'secret' | 'config',
  given: readonly FileReference[] | undefined,
): readonly object[] | undefined {
  const { stack, file, known } = input;
  if (!given || given.length === 0) return undefined;
  return given
    .map((reference) => {
      const declared = own(kind === 'secret' ? file.secrets : file.configs, reference.source);
      if (!declared) {
        throw wrong(
          input,
          `${kind}s`,
          `the ${kind} "${reference.source}" is not declared`,
          `add it below ${kind}s: of the file, with file: PATH or external: true`,
        );
      }
      const name = nameInSwarm(stack, reference.source, declared);
      const id = (kind === 'secret' ? known.secrets : known.configs).get(name);
      if (id === undefined) {
        throw new SwarmError(
          'notFound',
          `services.${input.name}.${kind}s: there is no ${kind} "${name}"; create it first with "swarmctl ${kind} create ${name} FILE"`,
        );
      }
      const File = {
        Name: reference.target ?? reference.source,
        UID: reference.uid ?? '0',
        GID: reference.gid ?? '0',
        Mode: reference.mode ?? FILE_MODE,
      };
      const body =
        kind === 'secret' ? { File, SecretID: id, SecretName: name } : { File, ConfigID: id, ConfigName: name };
      return { name, body };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ body }) => body);
}

function networks({ stack, name, service, file }: StackServiceInput): readonly object[] {
  const given = Object.keys(service.networks ?? {}).length > 0 ? (service.networks ?? {}) : { [DEFAULT_NETWORK]: {} };
  return Object.entries(given)
    .map(([internal, { aliases = [], driver_opts: options }]) => {
      const declared = own(file.networks, internal);
      if (!declared && internal !== DEFAULT_NETWORK) {
        throw new SwarmError(
          'invalidArgument',
          `services.${name}.networks: the network "${internal}" is not declared; add it below networks: of the file`,
        );
      }
      const Target = nameInSwarm(stack, internal, declared ?? {});
      const isOwn = !['host', 'bridge', 'none', 'default'].includes(Target);
      const Aliases = isOwn ? [...aliases, name] : nonEmpty([...aliases]);
      return compact({ Target, Aliases, DriverOpts: options }) as { readonly Target: string };
    })
    .sort((a, b) => (a.Target < b.Target ? -1 : 1));
}

type Resources = NonNullable<NonNullable<ComposeService['deploy']>['resources']>;

function resources({ limits, reservations }: Resources = {}): object {
  return compact({
    Limits:
      limits &&
      compact({
        NanoCPUs: unlessZero(limits.cpus),
        MemoryBytes: unlessZero(limits.memory),
        Pids: unlessZero(limits.pids),
      }),
    Reservations:
      reservations &&
      compact({
        NanoCPUs: unlessZero(reservations.cpus),
        MemoryBytes: unlessZero(reservations.memory),
        GenericResources: reservations.generic_resources?.map(({ kind, value }) => ({
          DiscreteResourceSpec: { Kind: kind, Value: value },
        })),
      }),
  });
}

function restartPolicy({ deploy, restart = 'no' }: ComposeService): object {
  const policy = deploy?.restart_policy;
  if (policy) {
    return {
      RestartPolicy: compact({
        Condition: policy.condition,
        Delay: policy.delay,
        MaxAttempts: policy.max_attempts,
        Window: policy.window,
      }),
    };
  }
  if (restart === 'no') return {};
  if (restart === 'always' || restart === 'unless-stopped') return { RestartPolicy: { Condition: 'any' } };
  return { RestartPolicy: { Condition: 'on-failure', MaxAttempts: Number(restart.split(':')[1] ?? 0) } };
}

function mode(input: StackServiceInput): object {
  const { mode: kind = 'replicated', replicas } = input.service.deploy ?? {};
  if (replicas !== undefined && (kind === 'global' || kind === 'global-job')) {
    throw wrong(input, 'deploy.replicas', `${replicas}: a ${kind} service has a task on each node`, 'leave it out');
  }
  switch (kind) {
    case 'global':
      return { Global: {} };
    case 'global-job':
      return { GlobalJob: {} };
    case 'replicated-job':
      return { ReplicatedJob: compact({ MaxConcurrent: replicas, TotalCompletions: replicas }) };
    default:
      return { Replicated: compact({ Replicas: replicas }) };
  }
}

const updateConfig = (config: ComposeUpdateConfig): object =>
  compact({
    Parallelism: config.parallelism ?? 1,
    Delay: unlessZero(config.delay),
    FailureAction: config.failure_action,
    Monitor: unlessZero(config.monitor),
    MaxFailureRatio: config.max_failure_ratio ?? 0,
    Order: config.order ?? '',
  });

function ports(service: ComposeService): readonly object[] | undefined {
  return nonEmpty(
    [...(service.ports ?? [])]
      .sort((a, b) => a.published - b.published)
      .map((port) =>
        compact({
          Protocol: port.protocol,
          TargetPort: port.target,
          PublishedPort: port.published === 0 ? undefined : port.published,
          PublishMode: port.mode,
        }),
      ),
  );
}

const wrong = ({ name }: StackServiceInput, field: string, what: string, remedy: string): SwarmError =>
  new SwarmError('invalidArgument', `services.${name}.${field}: ${what}; ${remedy}`);

/** Nothing is said with a zero here, and the API does not give it back. */
const unlessZero = (number: number | undefined): number | undefined => (number === 0 ? undefined : number);

const nonEmpty = <T>(items: readonly T[]): readonly T[] | undefined => (items.length === 0 ? undefined : items);

/** Without what is undefined. */
const compact = (object: Dictionary<unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, inner]) => inner !== undefined));

/** What each field of validation.json stands for: the call that is made with the value. Resolves when it is accepted. */
import { durationOfMs } from '../../../src/common/time.ts';
import type { Duration } from '../../../src/proto/generated/google/protobuf/duration.ts';
import { Network } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { TaskSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { ContainerSpec, type ServiceSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  Mount,
  NetworkAttachmentConfig,
  NodeRole,
  NodeStatus_State,
  Placement,
  ResourceRequirements,
  Resources,
  RestartPolicy,
  UpdateConfig,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import {
  aConfigSpec,
  aNode,
  aSecretSpec,
  aServiceSpec,
  CLUSTER_ID,
  testControl,
  type TestControl,
} from '../../support/local-control.ts';

type Action = (value: unknown) => Promise<unknown>;

async function create(spec: ServiceSpec): Promise<unknown> {
  const { control } = await testControl();
  return control.createService({ id: '', spec });
}

const withTask = (task: Partial<TaskSpec>): ServiceSpec => {
  const spec = aServiceSpec();
  return { ...spec, task: { ...(spec.task as TaskSpec), ...task } };
};
const withContainer = (container: Partial<ContainerSpec>): ServiceSpec =>
  withTask({
    runtime: { $case: 'container', value: { ...ContainerSpec.fromPartial({ image: 'busybox' }), ...container } },
  });
const withMode = (mode: ServiceSpec['mode']): ServiceSpec => aServiceSpec('web', { mode });

/** "source->target" */
const arrow = (text: unknown): readonly [string, string] => {
  const [from = '', to = ''] = String(text).split('->');
  return [from, to];
};
const ms = (value: unknown): Duration => durationOfMs(Number(value));
const list = (value: unknown): readonly unknown[] => value as readonly unknown[];

const resource =
  (member: 'memoryBytes' | 'nanoCpus'): Action =>
  (value) =>
    create(
      withTask({
        resources: {
          ...ResourceRequirements.fromPartial({}),
          reservations: { ...Resources.fromPartial({}), [member]: Number(value) },
        },
      }),
    );

const updateConfig =
  (kind: 'update' | 'rollback', config: (value: unknown) => Partial<UpdateConfig>): Action =>
  (value) =>
    create(aServiceSpec('web', { [kind]: { ...UpdateConfig.fromPartial({}), ...config(value) } }));

const restart =
  (policy: (value: unknown) => Partial<RestartPolicy>): Action =>
  (value) =>
    create(withTask({ restart: { ...RestartPolicy.fromPartial({}), ...policy(value) } }));

function healthcheck(value: unknown): Promise<unknown> {
  const given = value as Readonly<Record<string, number>>;
  const duration = (member: string): Duration | undefined =>
    given[member] === undefined ? undefined : ms(given[member]);
  return create(
    withContainer({
      healthcheck: {
        test: ['CMD', 'true'],
        interval: duration('intervalMs'),
        timeout: duration('timeoutMs'),
        startPeriod: duration('startPeriodMs'),
        startInterval: duration('startIntervalMs'),
        retries: given['retries'] ?? 0,
      },
    }),
  );
}

/** Stores what is referred to first, unless its name says that it does not exist. */
async function references(kind: 'secret' | 'config', value: unknown): Promise<unknown> {
  const test = await testControl();
  const refs = [];
  for (const [name, file] of list(value).map(arrow)) {
    const isMissing = /missing|unknown|nosuch/.test(name);
    const stored = isMissing ? undefined : await storedData(test, kind, name);
    refs.push({ id: stored ?? `no-${name}`, name, file });
  }
  const target = (file: string) => ({ $case: 'file', value: { name: file, uid: '0', gid: '0', mode: 0o444 } }) as const;
  return test.control.createService({
    id: '',
    spec: withContainer(
      kind === 'secret'
        ? { secrets: refs.map(({ id, name, file }) => ({ secretId: id, secretName: name, target: target(file) })) }
        : { configs: refs.map(({ id, name, file }) => ({ configId: id, configName: name, target: target(file) })) },
    ),
  });
}

async function storedData(test: TestControl, kind: 'secret' | 'config', name: string): Promise<string> {
  const { control } = test;
  const present = test.store.read[kind].byName(name);
  if (present) return present.id;
  return kind === 'secret'
    ? ((await control.createSecret({ id: '', spec: aSecretSpec(name) })).secret?.id ?? '')
    : ((await control.createConfig({ id: '', spec: aConfigSpec(name) })).config?.id ?? '');
}

async function deleteUsed(kind: 'secret' | 'config'): Promise<unknown> {
  const test = await testControl();
  const id = await storedData(test, kind, 'used');
  const target = { $case: 'file', value: { name: 'f', uid: '0', gid: '0', mode: 0o444 } } as const;
  await test.control.createService({
    id: '',
    spec: withContainer(
      kind === 'secret'
        ? { secrets: [{ secretId: id, secretName: 'used', target }] }
        : { configs: [{ configId: id, configName: 'used', target }] },
    ),
  });
  return kind === 'secret' ? test.control.removeSecret({ secretId: id }) : test.control.removeConfig({ configId: id });
}

async function relabel(kind: 'secret' | 'config', change: 'data' | 'name' | 'labels'): Promise<unknown> {
  const test = await testControl();
  const id = await storedData(test, kind, 'x');
  const spec = (kind === 'secret' ? aSecretSpec : aConfigSpec)(
    change === 'name' ? 'y' : 'x',
    change === 'data' ? 'changed' : '',
  );
  const labelled = { ...spec, annotations: { name: spec.annotations?.name ?? '', labels: { a: 'b' }, indices: [] } };
  const version = test.store.read[kind].get(id)?.meta?.version;
  return kind === 'secret'
    ? test.control.updateSecret({ secretId: id, secretVersion: version, spec: { ...aSecretSpec('x'), ...labelled } })
    : test.control.updateConfig({ configId: id, configVersion: version, spec: { ...aConfigSpec('x'), ...labelled } });
}

const attached = (...targets: readonly string[]): readonly NetworkAttachmentConfig[] =>
  targets.map((target) => NetworkAttachmentConfig.fromPartial({ target }));

async function withNetworks(): Promise<TestControl> {
  const test = await testControl();
  await test.store.update((tx) => {
    for (const name of ['ingress', 'net1', 'net2']) {
      tx.network.create(
        Network.fromPartial({ id: name, spec: { annotations: { name }, ingress: name === 'ingress' } }),
      );
    }
  });
  return test;
}

/** An update of a service, told in words. */
async function update(value: unknown): Promise<unknown> {
  const { control } = await withNetworks();
  const words = String(value);
  const isAboutNetworks = words.includes('network');
  const before = aServiceSpec('web', isAboutNetworks ? { networks: attached('net1') } : {});
  const { service } = await control.createService({ id: '', spec: before });
  let spec = before;
  let serviceVersion = service?.meta?.version;
  if (words.includes('version')) serviceVersion = { index: (serviceVersion?.index ?? 1) - 1 };
  else if (words.includes('deprecated')) spec = { ...before, networks: attached('net2') };
  else if (words.includes('moves')) {
    spec = { ...before, networks: [], task: { ...(before.task as TaskSpec), networks: attached('net1') } };
  } else if (/mode|global|replicated|job/.test(words)) spec = { ...before, mode: { $case: 'global', value: {} } };
  else if (words.includes('name')) spec = { ...before, annotations: aServiceSpec('other').annotations };
  else throw new Error(`the handler does not know the update ${JSON.stringify(value)}`);
  return control.updateService({ serviceId: service?.id ?? '', serviceVersion, spec, rollback: 0 });
}

async function demote(managers: number, others: 'reachable' | 'unreachable'): Promise<unknown> {
  const test = await testControl();
  const ids = Array.from({ length: managers }, (_, i) => `m${i}`);
  await test.store.update((tx) => ids.forEach((id) => tx.node.create(aNode(id, NodeRole.MANAGER))));
  ids.forEach((id) => test.raftMembers.add(id));
  if (others === 'unreachable') test.indispensable.add('m0');
  const node = test.store.read.node.get('m0');
  return test.control.updateNode({
    nodeId: 'm0',
    nodeVersion: node?.meta?.version,
    spec: node?.spec && { ...node.spec, desiredRole: NodeRole.WORKER },
  });
}

async function removeNode(role: NodeRole, state: NodeStatus_State, force: boolean): Promise<unknown> {
  const test = await testControl();
  await test.store.update((tx) => tx.node.create(aNode('n', role, state)));
  if (role === NodeRole.MANAGER) test.raftMembers.add('n');
  return test.control.removeNode({ nodeId: 'n', force });
}

async function updateCluster(change: 'certExpiry' | 'heartbeat' | 'name', value: unknown): Promise<unknown> {
  const { control, store } = await testControl();
  const cluster = store.read.cluster.get(CLUSTER_ID);
  const spec = cluster?.spec;
  return control.updateCluster({
    clusterId: CLUSTER_ID,
    clusterVersion: cluster?.meta?.version,
    rotation: undefined,
    spec: spec && {
      ...spec,
      ...(change === 'heartbeat' ? { dispatcher: { heartbeatPeriod: ms(value) } } : {}),
      ...(change === 'certExpiry' && spec.caConfig
        ? { caConfig: { ...spec.caConfig, nodeCertExpiry: ms(value) } }
        : {}),
      ...(change === 'name' ? { annotations: { name: String(value), labels: {}, indices: [] } } : {}),
    },
  });
}

const createTwice = async (second: unknown): Promise<unknown> => {
  const { control } = await testControl();
  await control.createService({ id: '', spec: aServiceSpec('dup') });
  return control.createService({ id: '', spec: aServiceSpec(String(second)) });
};

const secret = (name: string, bytes: number): Promise<unknown> =>
  testControl().then(({ control }) => control.createSecret({ id: '', spec: aSecretSpec(name, 'x'.repeat(bytes)) }));
const config = (name: string, bytes: number): Promise<unknown> =>
  testControl().then(({ control }) => control.createConfig({ id: '', spec: aConfigSpec(name, 'x'.repeat(bytes)) }));

export const VALIDATION_ACTIONS: Readonly<Record<string, Action>> = {
  'resources.memory': resource('memoryBytes'),
  'resources.nanoCPUs': resource('nanoCpus'),
  constraints: (value) =>
    create(withTask({ placement: { ...Placement.fromPartial({}), constraints: list(value).map(String) } })),
  'mode.replicated': (value) => create(withMode({ $case: 'replicated', value: { replicas: Number(value) } })),
  'mode.global': () => create(withMode({ $case: 'global', value: {} })),
  'mode.globalJob': () => create(withMode({ $case: 'globalJob', value: {} })),
  'mode.replicatedJob.maxConcurrent': (value) =>
    create(withMode({ $case: 'replicatedJob', value: { maxConcurrent: Number(value), totalCompletions: 1 } })),
  'mode.replicatedJob.totalCompletions': (value) =>
    create(withMode({ $case: 'replicatedJob', value: { maxConcurrent: 1, totalCompletions: Number(value) } })),
  'replicatedJob+update': () =>
    create({
      ...withMode({ $case: 'replicatedJob', value: { maxConcurrent: 1, totalCompletions: 1 } }),
      update: UpdateConfig.fromPartial({}),
    }),
  'globalJob+update': () =>
    create({ ...withMode({ $case: 'globalJob', value: {} }), update: UpdateConfig.fromPartial({}) }),
  image: (value) => create(withContainer({ image: String(value) })),
  'runtime.generic.kind': (value) =>
    create(
      withTask({
        runtime: {
          $case: 'generic',
          value: { kind: String(value), payload: { typeUrl: 'type', value: Buffer.of(1) } },
        },
      }),
    ),
  mounts: (value) =>
    create(
      withContainer({
        mounts: list(value)
          .map(arrow)
          .map(([source, target]) => Mount.fromPartial({ source, target })),
      }),
    ),
  healthcheck,
  name: (value) => create(aServiceSpec(String(value))),
  'update.delayMs': updateConfig('update', (value) => ({ delay: ms(value) })),
  'update.monitorMs': updateConfig('update', (value) => ({ monitor: ms(value) })),
  'update.maxFailureRatio': updateConfig('update', (value) => ({ maxFailureRatio: Number(value) })),
  'rollback.delayMs': updateConfig('rollback', (value) => ({ delay: ms(value) })),
  'rollback.monitorMs': updateConfig('rollback', (value) => ({ monitor: ms(value) })),
  'rollback.maxFailureRatio': updateConfig('rollback', (value) => ({ maxFailureRatio: Number(value) })),
  'restart.delayMs': restart((value) => ({ delay: ms(value) })),
  'restart.windowMs': restart((value) => ({ window: ms(value) })),
  'create with a used name': createTwice,
  'create with a used name in other case': createTwice,
  update,
  networks: async (value) => {
    const { control } = await withNetworks();
    return control.createService({ id: '', spec: withTask({ networks: attached(...list(value).map(String)) }) });
  },
  'secret.data': (value) => secret('s', Number(value)),
  'secret.name': (value) => secret(String(value), 1),
  'config.data': (value) => config('c', Number(value)),
  'config.name': (value) => config(String(value), 1),
  'secret refs': (value) => references('secret', value),
  'config refs': (value) => references('config', value),
  'update secret data': () => relabel('secret', 'data'),
  'update secret name': () => relabel('secret', 'name'),
  'update secret labels': () => relabel('secret', 'labels'),
  'update config data': () => relabel('config', 'data'),
  'update config name': () => relabel('config', 'name'),
  'update config labels': () => relabel('config', 'labels'),
  'delete secret used by a service': () => deleteUsed('secret'),
  'delete config used by a service': () => deleteUsed('config'),
  'demote the only manager': () => demote(1, 'reachable'),
  'demote one of three managers': () => demote(3, 'reachable'),
  'demote a manager when the rest would have no reachable majority': () => demote(3, 'unreachable'),
  'delete READY node without force': () => removeNode(NodeRole.WORKER, NodeStatus_State.READY, false),
  'delete READY node with force': () => removeNode(NodeRole.WORKER, NodeStatus_State.READY, true),
  'delete DOWN node': () => removeNode(NodeRole.WORKER, NodeStatus_State.DOWN, false),
  'delete a manager, even forced': () => removeNode(NodeRole.MANAGER, NodeStatus_State.DOWN, true),
  'cluster.nodeCertExpiryMs': (value) => updateCluster('certExpiry', value),
  'cluster.heartbeatMs': (value) => updateCluster('heartbeat', value),
  'cluster.name': (value) => updateCluster('name', value),
};

/** task_dirty.json: must a task be replaced because of a difference between it and its service? */
import { isTaskDirty } from '../../../src/manager/placement/task-dirty.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { ContainerSpec, ServiceSpec, TaskSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { PortConfig, TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask } from '../../support/builders.ts';
import { expectSame, type CaseHandler, textOf } from './case.ts';
import { stateNamed } from './orchestrator-states.ts';

type Change = Readonly<Record<string, unknown>>;

const NODE = aNode('node1');

/** Changes that are told in words. */
const WORDS: Readonly<Record<string, Change>> = {
  none: {},
  'replicas only': { replicas: 2 },
  'labels only': { labels: { a: 'b' } },
};

export const taskDirty: CaseHandler = async (testCase) => {
  const base = aService({ replicas: 1 });
  const task = aTask(base, { id: 'task1', slot: 1, nodeId: NODE.id });
  const change = testCase['change'];
  const isSameVersion = typeof change === 'string' && change.includes('same spec version');
  const differences = typeof change === 'string' ? (WORDS[change] ?? { image: 'v2' }) : (change as Change);
  if (typeof change === 'string' && !isSameVersion && !(change in WORDS))
    throw new Error(`the handler does not know the change "${change}"`);
  const changed = apply(base, task, differences);
  const service = { ...changed.service, specVersion: { index: isSameVersion ? 0 : 7 } };
  return expectSame(isTaskDirty(service, changed.task, NODE), testCase['dirty'], 'dirty');
};

function apply(base: Service, task: Task, change: Change): { readonly service: Service; readonly task: Task } {
  let spec = base.spec as ServiceSpec;
  for (const [member, value] of Object.entries(change)) {
    if (member !== 'taskState' && member !== 'taskDesired') spec = edited(spec, member, value);
  }
  const state = change['taskState'] === undefined ? TaskState.RUNNING : stateNamed(textOf(change['taskState']));
  const desired = change['taskDesired'] === undefined ? task.desiredState : stateNamed(textOf(change['taskDesired']));
  return {
    service: { ...base, spec },
    task: { ...task, desiredState: desired, status: { ...task.status!, state } },
  };
}

const inTask = (spec: ServiceSpec, change: (task: TaskSpec) => TaskSpec): ServiceSpec => ({
  ...spec,
  task: change(spec.task as TaskSpec),
});

const inContainer = (spec: ServiceSpec, change: Partial<ContainerSpec>): ServiceSpec =>
  inTask(spec, (task) =>
    task.runtime?.$case === 'container'
      ? { ...task, runtime: { $case: 'container', value: { ...task.runtime.value, ...change } } }
      : task,
  );

const inPlacement = (spec: ServiceSpec, change: object): ServiceSpec =>
  inTask(spec, (task) => ({
    ...task,
    placement: { constraints: [], preferences: [], platforms: [], maxReplicas: 0, ...task.placement, ...change },
  }));

/** A spec with one member changed: by a rule of its own, or where a member of that name is found. */
function edited(spec: ServiceSpec, member: string, value: unknown): ServiceSpec {
  const edit = EDITS[member];
  if (edit) return edit(spec, value);
  const container = spec.task?.runtime?.$case === 'container' ? spec.task.runtime.value : undefined;
  if (container && member in container) return inContainer(spec, { [member]: value });
  if (spec.task && member in spec.task) return inTask(spec, (task) => ({ ...task, [member]: value }));
  if (member in spec) return { ...spec, [member]: value };
  throw new Error(`the handler does not know the change of ${member}`);
}

/** How some kinds of change alter a service. */
const EDITS: Readonly<Record<string, (spec: ServiceSpec, value: unknown) => ServiceSpec>> = {
  image: (spec, value) => inContainer(spec, { image: String(value) }),
  env: (spec, value) => inContainer(spec, { env: value as string[] }),
  command: (spec, value) => inContainer(spec, { command: value as string[] }),
  args: (spec, value) => inContainer(spec, { args: value as string[] }),
  pullOptions: (spec, value) => inContainer(spec, { pullOptions: { registryAuth: String(value) } }),
  constraints: (spec, value) =>
    inPlacement(spec, { constraints: (value as string[]).map((text) => text.replace('<its node>', NODE.id)) }),
  preferences: (spec, value) =>
    inPlacement(spec, {
      preferences: (value as string[]).map((spreadDescriptor) => ({
        Preference: { $case: 'spread', value: { spreadDescriptor } },
      })),
    }),
  maxReplicas: (spec, value) => inPlacement(spec, { maxReplicas: Number(value) }),
  forceUpdate: (spec, value) => inTask(spec, (task) => ({ ...task, forceUpdate: Number(value) })),
  replicas: (spec, value) => ({ ...spec, mode: { $case: 'replicated', value: { replicas: Number(value) } } }),
  labels: (spec, value) => ({
    ...spec,
    annotations: { ...spec.annotations!, labels: value as Record<string, string> },
  }),
  ports: (spec, value) => ({
    ...spec,
    endpoint: {
      mode: 0,
      ports: (value as string[]).map((text) => {
        const [published, target] = text.split(':').map(Number);
        return PortConfig.fromPartial({ publishedPort: published ?? 0, targetPort: target ?? published ?? 0 });
      }),
    },
  }),
};

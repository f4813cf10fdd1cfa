/** constraint_enforcer.json: which tasks are rejected when their node is looked at. */
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole, TaskState, type GenericResource } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask } from '../../support/builders.ts';
import { SwarmWorld } from '../../support/swarm-world.ts';
import { allOf, expectSame, passed, refuseUnknownMembers, type CaseHandler } from './case.ts';
import { stateNamed } from './orchestrator-states.ts';

interface Given {
  readonly role?: string;
  readonly availability?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly constraint?: string;
  readonly serviceConstraint?: string;
  readonly taskConstraint?: string | null;
  readonly nodeMem?: number;
  readonly nodeCpus?: number;
  readonly reserve?: number;
  readonly reserveCpus?: number;
  readonly nodeGeneric?: Amounts;
  readonly assigned?: Amounts;
  readonly state: string;
  readonly desired: string;
}
type Amounts = Readonly<Record<string, number | readonly string[]>>;

const KNOWN: readonly (keyof Given)[] = [
  'role',
  'availability',
  'labels',
  'constraint',
  'serviceConstraint',
  'taskConstraint',
  'nodeMem',
  'nodeCpus',
  'reserve',
  'reserveCpus',
  'nodeGeneric',
  'assigned',
  'state',
  'desired',
];

export const constraintEnforcer: CaseHandler = async (testCase) => {
  const given = withUsualNames(testCase['given'] as Readonly<Record<string, unknown>>);
  refuseUnknownMembers({ ...given }, KNOWN, 'member of given');
  const world = new SwarmWorld({ loops: ['enforcer'] });
  try {
    const [node, service, task] = [nodeOf(given), serviceOf(given), taskOf(given)];
    await world.create({ nodes: [node] });
    await world.lead();
    await world.create({ services: service ? [service] : [], tasks: [task] });
    // Any change of the node makes the enforcer look at it.
    await world.changeNode('node1', (old) => ({ ...old, spec: { ...old.spec! } }));
    const status = world.store.read.task.get('task1')?.status;
    const isRejected = status?.state === TaskState.REJECTED;
    return allOf(
      expectSame(isRejected, testCase['rejected'], 'rejected'),
      isRejected ? expectSame(status?.message, 'assigned node no longer meets constraints', 'message') : passed,
    );
  } finally {
    await world.end();
  }
};

/** Some members go by several names. */
const ALIASES: Readonly<Record<string, keyof Given>> = {
  nodeMemory: 'nodeMem',
  nodeCpu: 'nodeCpus',
  nodeNanoCpus: 'nodeCpus',
  reserveMem: 'reserve',
  reserveMemory: 'reserve',
  reserveCpu: 'reserveCpus',
  reserveNanoCpus: 'reserveCpus',
};

const withUsualNames = (given: Readonly<Record<string, unknown>>): Given =>
  Object.fromEntries(
    Object.entries(given).map(([member, value]) => [ALIASES[member] ?? member, value]),
  ) as unknown as Given;

function nodeOf(given: Given) {
  const node = aNode('node1', {
    ...(given.labels && { labels: given.labels }),
    ...(given.availability !== undefined && { availability: given.availability as 'active' }),
  });
  const hasResources = given.nodeMem !== undefined || given.nodeCpus !== undefined || given.nodeGeneric !== undefined;
  return {
    ...node,
    role: given.role === 'manager' ? NodeRole.MANAGER : NodeRole.WORKER,
    description: {
      ...node.description!,
      resources: hasResources
        ? { memoryBytes: given.nodeMem ?? 0, nanoCpus: given.nodeCpus ?? 0, generic: genericOf(given.nodeGeneric) }
        : undefined,
    },
  };
}

/** Absent when the case speaks of the task's own constraints only. */
function serviceOf(given: Given) {
  if (given.serviceConstraint === undefined) return undefined;
  return aService({ constraints: [given.serviceConstraint] });
}

function taskOf(given: Given): Task {
  const constraint = given.serviceConstraint === undefined ? given.constraint : given.taskConstraint;
  const template = aService(constraint ? { constraints: [constraint] } : {});
  const task = aTask(given.serviceConstraint === undefined ? { ...template, id: '' } : template, {
    id: 'task1',
    slot: 1,
    nodeId: 'node1',
    status: { state: stateNamed(given.state) },
    desiredState: stateNamed(given.desired),
    assignedGenericResources: genericOf(given.assigned),
  });
  return {
    ...task,
    spec: task.spec && {
      ...task.spec,
      resources: {
        limits: undefined,
        reservations: { memoryBytes: given.reserve ?? 0, nanoCpus: given.reserveCpus ?? 0, generic: [] },
        swapBytes: undefined,
        memorySwappiness: undefined,
      },
    },
  };
}

function genericOf(amounts: Amounts | undefined): GenericResource[] {
  return Object.entries(amounts ?? {}).flatMap(([kind, amount]): GenericResource[] =>
    typeof amount === 'number'
      ? [{ resource: { $case: 'discreteResourceSpec', value: { kind, value: amount } } }]
      : amount.map((value) => ({ resource: { $case: 'namedResourceSpec', value: { kind, value } } })),
  );
}

/** reaper.json: which stored tasks are deleted, and when; played with the real reaper. */
import { timestampOfMs } from '../../../src/common/time.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask } from '../../support/builders.ts';
import { SwarmWorld, withState } from '../../support/swarm-world.ts';
import { allOf, expectSame, failed, refuseUnknownMembers, type CaseHandler, type CaseResult, textOf } from './case.ts';
import { stateNamed } from './orchestrator-states.ts';

type Members = Readonly<Record<string, unknown>>;

/** Longer than tasks gather before they are reaped. */
const A_WHILE_MS = 1000;

export const reaper: CaseHandler = async (testCase) => {
  const given = testCase['given'] as Members;
  const expected = testCase['expect'] as Members;
  switch (testCase['kind']) {
    case 'tick':
    case 'init':
      return oneTask(given, expected);
    case 'slot':
      return wholeSlot(given, expected);
    case 'order':
      return order(given, expected);
    case 'batch':
      return batch(given, expected);
    default:
      return failed(`the handler does not know the kind ${textOf(testCase['kind'])}`);
  }
};

async function inWorld<T>(
  historyLimit: number,
  loops: readonly ('orchestrator' | 'reaper')[],
  play: (world: SwarmWorld) => Promise<T>,
): Promise<T> {
  const world = new SwarmWorld({ historyLimit, loops });
  try {
    return await play(world);
  } finally {
    await world.end();
  }
}

/** One task as a leader finds it. If it is wanted the orchestrator works too: what ended is first handed to it. */
function oneTask(given: Members, expected: Members): Promise<CaseResult> {
  refuseUnknownMembers(given, ['limit', 'desired', 'state', 'serviceExists'], 'member of given');
  const isWanted = stateNamed(textOf(given['desired'])) <= TaskState.RUNNING;
  return inWorld(Number(given['limit']), isWanted ? ['orchestrator', 'reaper'] : ['reaper'], async (world) => {
    const service = aService();
    const state = stateNamed(textOf(given['state']));
    const task = aTask(service, {
      id: 'task1',
      slot: 1,
      nodeId: state >= TaskState.ASSIGNED ? 'node1' : '',
      status: { state },
      desiredState: stateNamed(textOf(given['desired'])),
    });
    await world.create({
      nodes: [aNode('node1')],
      services: given['serviceExists'] === 'no' ? [] : [service],
      tasks: [task],
    });
    await world.lead();
    await world.advance(A_WHILE_MS);
    return expectSame(world.store.read.task.get('task1') === undefined, expected['deleted'], 'deleted');
  });
}

function wholeSlot(given: Members, expected: Members): Promise<CaseResult> {
  refuseUnknownMembers(given, ['limit', 'tasks', 'service', 'mode', 'maxAttempts', 'restart'], 'member of given');
  return inWorld(Number(given['limit']), ['reaper'], async (world) => {
    const service = serviceOf(given);
    await world.create({ nodes: [aNode('node1')], services: given['service'] === null ? [] : [service] });
    const names = given['tasks'] as readonly string[];
    for (const name of names) {
      await world.advance(1000);
      await world.create({ tasks: [taskNamed(service, name, world.clock.now())] });
    }
    await world.lead();
    await world.advance(A_WHILE_MS);
    const left = names.filter((name) => world.store.read.task.get(name) !== undefined);
    return allOf(
      expectSame(left, expected['kept'], 'kept'),
      // Nothing is kept in mind for later: no timer waits.
      expected['dirtyCleared'] === undefined
        ? { ok: true }
        : expectSame(world.clock.pending === 0, expected['dirtyCleared'], 'dirtyCleared'),
    );
  });
}

function serviceOf(given: Members): Service {
  const maxAttempts = given['maxAttempts'] ?? (given['restart'] as Members | undefined)?.['maxAttempts'];
  const service = aService(maxAttempts === undefined ? {} : { restart: { maxAttempts: Number(maxAttempts) } });
  const job = { maxConcurrent: 1, totalCompletions: 1 };
  switch (given['mode']) {
    case undefined:
    case 'replicated':
      return service;
    case 'replicated-job':
      return {
        ...service,
        spec: service.spec && { ...service.spec, mode: { $case: 'replicatedJob', value: job } },
        jobStatus: { jobIteration: { index: 1 } },
      };
    default:
      throw new Error(`the handler does not know the mode ${textOf(given['mode'])}`);
  }
}

/** "STATE@time", for jobs with "of iteration N". Its name is its id. */
function taskNamed(service: Service, name: string, nowMs: number): Task {
  const match = /^(\w+)@\d+(?: of iteration (\d+))?$/.exec(name);
  if (!match) throw new Error(`the handler cannot read the task "${name}"`);
  const state = stateNamed(match[1] ?? '');
  const iteration = match[2];
  const wanted = iteration === undefined ? TaskState.RUNNING : TaskState.COMPLETE;
  const task = aTask(service, {
    id: name,
    slot: 1,
    nodeId: state >= TaskState.ASSIGNED ? 'node1' : '',
    desiredState:
      state > TaskState.RUNNING ? Math.max(wanted, state === TaskState.COMPLETE ? wanted : TaskState.SHUTDOWN) : wanted,
    ...(iteration !== undefined && { jobIteration: { index: Number(iteration) } }),
  });
  const settled =
    iteration === undefined && state > TaskState.RUNNING ? { ...task, desiredState: TaskState.SHUTDOWN } : task;
  return withState(settled, state, nowMs);
}

/** Of two ended tasks the older one goes when one may stay. */
function order(given: Members, expected: Members): Promise<CaseResult> {
  refuseUnknownMembers(given, ['tasks'], 'member of given');
  return inWorld(1, ['reaper'], async (world) => {
    const service = aService();
    const tasks = given['tasks'] as readonly {
      readonly id: string;
      readonly timestamp?: number;
      readonly appliedAt?: number;
    }[];
    await world.create({
      services: [service],
      tasks: tasks.map(({ id, timestamp, appliedAt }) => {
        const task = aTask(service, { id, slot: 1, nodeId: 'node1', desiredState: TaskState.SHUTDOWN });
        const at = (seconds: number | undefined) => (seconds === undefined ? undefined : timestampOfMs(seconds * 1000));
        return {
          ...task,
          status: { ...task.status!, state: TaskState.FAILED, timestamp: at(timestamp), appliedAt: at(appliedAt) },
        };
      }),
    });
    await world.lead();
    await world.advance(A_WHILE_MS);
    const gone = tasks.filter(({ id }) => world.store.read.task.get(id) === undefined).map(({ id }) => id);
    return expectSame(gone, [expected['oldest']], 'deleted, being the oldest');
  });
}

/** How long marked tasks gather before they are reaped. */
function batch(given: Members, expected: Members): Promise<CaseResult> {
  const count = Number(given['dirty+cleanup'] ?? Object.values(given)[0]);
  return inWorld(5, ['reaper'], async (world) => {
    const service = aService();
    await world.lead();
    await world.create({
      tasks: Array.from({ length: count }, (_, i) =>
        aTask(service, {
          id: `task${i}`,
          slot: i + 1,
          status: { state: TaskState.SHUTDOWN },
          desiredState: TaskState.REMOVE,
        }),
      ),
    });
    const atOnce = world.tasks().length === 0;
    await world.advance(249);
    const early = world.tasks().length === 0;
    await world.advance(1);
    const inTime = world.tasks().length === 0;
    const seen = atOnce ? 'at once' : early ? 'before 250 ms' : inTime ? 'after 250 ms' : 'later than 250 ms';
    return expectSame(seen, /immediate|once/.test(String(expected['tick'])) ? 'at once' : expected['tick'], 'tick');
  });
}

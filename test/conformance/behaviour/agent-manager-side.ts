/** The manager's end of the protocol with agents, played over a real gRPC server with a small agent. */
import { FakeClock, systemClock } from '../../../src/common/clock.ts';
import { ERROR_KINDS, isSwarmError } from '../../../src/common/errors.ts';
import { NodeStatus_State as NodeState, TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { DirectAgent } from '../../support/direct-agent.ts';
import { aTask, dispatcherRig, type DispatcherRig } from '../../support/dispatcher-rig.ts';
import { eventually } from '../../support/eventually.ts';
import type { FakeAgent } from '../../support/fake-agent.ts';
import { allOf, expectSame, failed, passed, type BehaviourCase, type CaseResult } from './case.ts';

type Given = Readonly<Record<string, unknown>>;
type Play = (given: Given, expected: Given) => Promise<CaseResult>;

/** Plays a case about the manager; undefined when the case is about the agent. */
export function agentManagerSide(testCase: BehaviourCase): Promise<CaseResult> | undefined {
  const given = testCase['given'] as Given;
  return playOf(given)?.(given, testCase['expect'] as Given);
}

/** By the members of `given`, and their words where these alone do not tell. */
function playOf(given: Given): Play | undefined {
  if (given['task'] === 'not in store') return playUnknownTask;
  if (given['node'] === 'not registered') return playUnregistered;
  return PLAYS.find(([members]) => members.every((member) => member in given))?.[1];
}

const stateNamed = (name: unknown): TaskState => {
  const state = TaskState[name as keyof typeof TaskState] as TaskState | undefined;
  if (state === undefined) throw new Error(`unknown task state ${String(name)}`);
  return state;
};
const nameOf = (states: Readonly<Record<string, number>>, state: number | undefined): string | undefined =>
  Object.keys(states).find((name) => states[name] === state);

const playReport: Play = ({ stored, reported }, expected) =>
  withAgent(async (rig, agent) => {
    await rig.store.update((tx) => tx.task.create(aTask('t', 'a', { state: stateNamed(stored) })));
    const version = rig.store.read.task.get('t')?.meta?.version?.index;
    await agent.report('t', stateNamed(reported), { message: '' });
    await afterReports(rig, agent);
    const task = rig.store.read.task.get('t');
    return expectMembers(
      { ignored: task?.meta?.version?.index === version, state: nameOf(TaskState, task?.status?.state) },
      expected,
    );
  });

const playForeignReport: Play = (given, expected) =>
  withAgent(async (rig, agent) => {
    await rig.store.update((tx) => tx.task.create(aTask('t', given['task node'] as string)));
    return expectMembers({ error: await errorOf(agent.report('t', TaskState.RUNNING)) }, expected);
  }, given['reporting node'] as string);

const playUnknownTask: Play = (_given, expected) =>
  withAgent(async (rig, agent) => {
    const error = await errorOf(agent.report('not in store', TaskState.RUNNING));
    await afterReports(rig, agent);
    const ignored = error === undefined && rig.store.read.task.get('not in store') === undefined;
    return expectMembers({ ignored, error }, expected);
  });

const playStaleSession: Play = (_given, expected) =>
  withAgent(async (rig, agent) => {
    const stale = agent.sessionId;
    await rig.agent('a').register();
    return refusedUntilRegistered(agent, stale, expected);
  });

const playUnregistered: Play = (_given, expected) =>
  withAgent((rig) => refusedUntilRegistered(rig.agent('b'), 'made up', expected));

const playSilence: Play = async ({ heartbeatMs, silentMs }, expected) => {
  const clock = new FakeClock();
  const rig = await dispatcherRig({ heartbeatPeriodMs: heartbeatMs as number }, clock);
  try {
    await rig.addNode('a');
    rig.lead();
    const agent = new DirectAgent(rig.dispatcher, 'a');
    agent.register();
    await clock.advance(10);
    await agent.beat();
    await clock.advance(silentMs as number);
    return expectMembers({ node: nameOf(NodeState, rig.node('a').status?.state) }, expected);
  } finally {
    await rig.close();
  }
};

const PLAYS: readonly (readonly [members: readonly string[], play: Play])[] = [
  [['stored', 'reported'], playReport],
  [['task node', 'reporting node'], playForeignReport],
  [['heartbeatMs', 'silentMs'], playSilence],
  [['sessionId'], playStaleSession],
];

/** Runs `play` with a cluster of nodes a and b, one of them registered. */
async function withAgent(
  play: (rig: DispatcherRig, agent: FakeAgent) => Promise<CaseResult>,
  nodeId = 'a',
): Promise<CaseResult> {
  const rig = await dispatcherRig({ statusGatherMs: 1 }, systemClock);
  try {
    await rig.addNode('a');
    await rig.addNode('b');
    rig.lead();
    const agent = rig.agent(nodeId);
    await agent.register();
    return await play(rig, agent);
  } finally {
    await rig.close();
  }
}

/** Reports are stored in order, so when a later one is stored the earlier ones are dealt with. */
async function afterReports(rig: DispatcherRig, agent: FakeAgent): Promise<void> {
  await rig.store.update((tx) => tx.task.create(aTask('marker', agent.nodeId)));
  await agent.report('marker', TaskState.RUNNING);
  await eventually(() => rig.store.read.task.get('marker')?.status?.state === TaskState.RUNNING);
}

/** The name of the gRPC status a call fails with; undefined when it does not. */
async function errorOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (isSwarmError(error)) return ERROR_KINDS[error.code].rpcName;
    throw error;
  }
}

/** The session id is refused on every call, and registering anew helps. */
async function refusedUntilRegistered(agent: FakeAgent, sessionId: string, expected: Given): Promise<CaseResult> {
  const errors = new Set([await errorOf(agent.beat(sessionId)), await errorOf(agent.open(sessionId))]);
  await agent.register();
  await agent.beat();
  await agent.open();
  return allOf(
    errors.size === 1 ? passed : failed(`different refusals: ${[...errors].join(', ')}`),
    expectMembers({ error: [...errors][0], agent: 'registers anew' }, expected),
  );
}

/** Compares what the case says; it may leave out members. */
const expectMembers = (actual: Given, expected: Given): CaseResult =>
  allOf(...Object.keys(expected).map((member) => expectSame(actual[member], expected[member], member)));

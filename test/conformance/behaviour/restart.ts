/** restart.json: the restart supervisor, played with the real orchestrator on one service. */
import { msOfTimestamp } from '../../../src/common/time.ts';
import { isWanted } from '../../../src/manager/orchestrator/task-life.ts';
import { restartSettings } from '../../../src/manager/orchestrator/restart-policy.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NodeStatus_State,
  RestartPolicy_RestartCondition as Condition,
  TaskState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask, type RestartGiven } from '../../support/builders.ts';
import { SwarmWorld } from '../../support/swarm-world.ts';
import {
  expectSame,
  failed,
  passed,
  passedBetter,
  refuseUnknownMembers,
  type CaseHandler,
  type CaseResult,
  textOf,
} from './case.ts';
import { nameOfState, stateNamed } from './orchestrator-states.ts';

type Members = Readonly<Record<string, unknown>>;

const POLICY = ['condition', 'delayMs', 'maxAttempts', 'windowMs', 'mode'];
const EVENT = [
  'taskEnds',
  'serviceUpdate',
  'slots',
  'each',
  'nth',
  'onNodes',
  'node',
  'old',
  'newLeader',
  'tasksInSlot',
  'call',
];

export const restart: CaseHandler = async (testCase) => {
  const policy = testCase['policy'] as Members;
  const event = testCase['event'] as Members;
  refuseUnknownMembers(policy, POLICY, 'member of policy');
  refuseUnknownMembers(event, EVENT, 'member of event');
  const play = new Play(policy, event);
  try {
    await play.run();
    for (const [member, value] of Object.entries(testCase['expect'] as Members)) {
      const result = await play.expect(member, value);
      if (!result.ok) return result;
    }
    return passed;
  } finally {
    await play.world.end();
  }
};

const CONDITION_NAMES = {
  [Condition.NONE]: 'none',
  [Condition.ON_FAILURE]: 'on-failure',
  [Condition.ANY]: 'any',
} as const;

class Play {
  readonly world = new SwarmWorld({ loops: ['orchestrator'] });
  readonly #policy: Members;
  readonly #event: Members;
  readonly #service: Service;
  #before: readonly Task[] = [];
  #since = 0;

  constructor(policy: Members, event: Members) {
    this.#policy = policy;
    this.#event = event;
    const { mode, ...rest } = policy;
    const nodes = event['onNodes'] as readonly string[] | undefined;
    this.#service = aService({
      global: mode === 'global',
      replicas: Number(event['slots'] ?? nodes?.length ?? 1),
      restart: rest as RestartGiven,
    });
  }

  async run(): Promise<void> {
    const event = this.#event;
    await this.#begin();
    if (event['call'] !== undefined) return this.#askAgain();
    if (event['serviceUpdate'] !== undefined) return this.#updateAfterEnd();
    if (event['node'] !== undefined) await this.#changeNode(textOf(event['node']));
    if (typeof event['taskEnds'] === 'string') await this.#endTasks(event['taskEnds']);
    if (typeof event['each'] === 'string') await this.#failEach(event['each']);
  }

  /** A leader that finds the service running, with as many restarts behind it as the case says. */
  async #begin(): Promise<void> {
    const isGlobal = this.#policy['mode'] === 'global';
    const nodeIds = (this.#event['onNodes'] as readonly string[] | undefined) ?? ['node1'];
    const slots = isGlobal ? nodeIds.length : Number(this.#event['slots'] ?? 1);
    await this.world.create({ nodes: nodeIds.map((id) => aNode(id)), services: [this.#service] });
    const history = Number(this.#event['tasksInSlot'] ?? this.#event['nth'] ?? 1) - 1;
    for (let i = 0; i < history; i++) {
      await this.#createTasks(`past${i}`, 1, nodeIds, {
        status: { state: TaskState.FAILED },
        desiredState: TaskState.SHUTDOWN,
      });
      await this.world.advance(1);
    }
    await this.#createTasks('task', slots, nodeIds, {});
    await this.world.lead();
    this.#before = this.world.tasks().filter(isWanted);
    this.#since = this.world.changes.length;
  }

  #createTasks(prefix: string, slots: number, nodeIds: readonly string[], given: Members): Promise<void> {
    const isGlobal = this.#policy['mode'] === 'global';
    return this.world.create({
      tasks: Array.from({ length: slots }, (_, i) =>
        aTask(this.#service, {
          id: `${prefix}-${i + 1}`,
          slot: isGlobal ? 0 : i + 1,
          nodeId: nodeIds[isGlobal ? i : 0] ?? '',
          ...given,
        }),
      ),
    });
  }

  async #endTasks(how: string): Promise<void> {
    if (how in TaskState) {
      for (const task of this.#before) await this.world.report(task.id, stateNamed(how));
      return;
    }
    if (!/replacement/.test(how)) throw new Error(`the handler does not know how a task ends by "${how}"`);
    for (const task of this.#before) await this.world.report(task.id, TaskState.FAILED);
    await this.world.advance(this.#delayMs / 2);
    for (const task of this.#made()) await this.world.report(task.id, TaskState.FAILED);
  }

  /** Every wanted task fails as often as the case says, its replacement being given time to start. */
  async #failEach(how: string): Promise<void> {
    const times = /twice/.test(how) ? 2 : Number(/(\d+) times/.exec(how)?.[1] ?? 1);
    for (let i = 0; i < times; i++) {
      for (const task of this.world.tasks().filter(isWanted)) await this.world.report(task.id, TaskState.FAILED);
      await this.world.advance(this.#delayMs);
    }
  }

  async #changeNode(condition: string): Promise<void> {
    const word = /(pause|drain|active|DOWN|UNKNOWN|DISCONNECTED)$/.exec(condition)?.[1];
    if (word === undefined) throw new Error(`the handler does not know node condition "${condition}"`);
    await this.world.changeNode('node1', (node) =>
      word === word.toUpperCase()
        ? { ...node, status: { ...node.status!, state: NodeStatus_State[word as 'DOWN'] } }
        : { ...node, spec: { ...node.spec!, availability: NodeSpec_Availability[word.toUpperCase() as 'DRAIN'] } },
    );
  }

  async #updateAfterEnd(): Promise<void> {
    for (const task of this.#before) await this.world.report(task.id, TaskState.FAILED);
    this.#since = this.world.changes.length;
    await this.world.changeService((spec) => ({
      ...spec,
      task: { ...spec.task!, forceUpdate: spec.task!.forceUpdate + 1 },
    }));
  }

  /** The task has been asked to stop already; its end must not be taken for a reason to replace it once more. */
  async #askAgain(): Promise<void> {
    for (const task of this.#before) {
      await this.world.store.update((tx) => {
        tx.task.update({ ...tx.task.get(task.id)!, desiredState: TaskState.SHUTDOWN });
      });
      await this.world.report(task.id, TaskState.FAILED);
    }
  }

  get #delayMs(): number {
    return restartSettings(aTask(this.#service, { id: 'x' })).delayMs;
  }

  #made(): readonly Task[] {
    return this.world.created(this.#since);
  }

  #now(task: Task | undefined): Task | undefined {
    return task && this.world.store.read.task.get(task.id);
  }

  async expect(member: string, value: unknown): Promise<CaseResult> {
    const [made] = this.#made();
    const old = this.#now(this.#before[0]);
    switch (member) {
      case 'restarted':
        return typeof value === 'string' ? this.#expectAfterDelay() : expectSame(this.#isReplaced(), value, member);
      case 'newTask':
        return expectSame(made !== undefined, value, member);
      case 'oldDesired':
        return expectSame(nameOfState(old?.desiredState ?? 0), value, member);
      case 'newState':
        return expectSame(made && nameOfState(made.status?.state ?? 0), value, member);
      case 'newDesired':
        return expectSame(made && nameOfState(made.desiredState), value, member);
      case 'promotedToRunningAfterMsAtLeast':
        return this.#expectPromotion(Number(value));
      case 'condition':
        return expectSame(CONDITION_NAMES[restartSettings(this.#before[0]!).condition as 0], value, member);
      case 'delayMs':
        return this.#expectDelay(made, Number(value));
      case 'restartedSlots':
        return expectSame(new Set(this.#made().map((task) => task.slot)).size, value, member);
      case 'restarts':
        return expectSame(this.#made().length, value, member);
      case 'restartedOn':
        return expectSame(
          this.#made()
            .map((task) => task.nodeId)
            .sort(),
          value,
          member,
        );
      case 'waitForOldToStop':
        await this.world.advance(this.#delayMs);
        return expectSame(this.#now(made)?.desiredState === TaskState.READY, value, member);
      case 'countedRestarts':
        return this.#expectCounted(Number(value));
      case 'error':
        // Whoever was asked to stop is never handed to the supervisor: nothing follows its end.
        return expectSame(this.#isReplaced(), !value, 'replaced once more by its end');
      default:
        return failed(`the handler does not know what to expect of ${member}`);
    }
  }

  /** A new task came in the same transaction that asked the old one to stop. */
  #isReplaced(): boolean {
    const made = this.world.changes.find(
      (change) => change.action === 'create' && change.object.id === this.#made()[0]?.id,
    );
    const [old] = this.#before;
    const stopped = this.world.changes.find(
      (change) =>
        change.kind === 'task' && change.object.id === old?.id && change.object.desiredState === TaskState.SHUTDOWN,
    );
    return made !== undefined && made.object.meta?.version?.index === stopped?.object.meta?.version?.index;
  }

  async #expectAfterDelay(): Promise<CaseResult> {
    const during = this.#made().length;
    await this.world.advance(this.#delayMs);
    return expectSame([during, this.#made().length], [1, 2], 'replacements during and after the pending delay');
  }

  async #expectPromotion(afterMs: number): Promise<CaseResult> {
    const [made] = this.#made();
    await this.world.advance(afterMs - 1);
    const early = this.#now(made)?.desiredState;
    await this.world.advance(1);
    return expectSame(
      [early, this.#now(made)?.desiredState],
      [TaskState.READY, TaskState.RUNNING],
      'before and after the delay',
    );
  }

  /** The delay the replacement was given; none after a node was lost, which is no failure of the task. */
  #expectDelay(made: Task | undefined, expected: number): CaseResult {
    const [due, createdAt] = [made?.startAfter, made?.meta?.createdAt];
    const delayMs = due && createdAt ? Math.round(msOfTimestamp(due) - msOfTimestamp(createdAt)) : undefined;
    if (delayMs === 0 && expected > 0 && this.#event['node'] !== undefined)
      return passedBetter('the restart delay is for tasks that fail, not for nodes that do');
    return expectSame(delayMs, expected, 'delayMs');
  }

  /** As many restarts as are left until the supervisor gives up. */
  async #expectCounted(counted: number): Promise<CaseResult> {
    const maxAttempts = Number(this.#policy['maxAttempts'] ?? 0);
    await this.#failEach(`${maxAttempts + 2} times`);
    return expectSame(maxAttempts - this.#made().length, counted, 'counted restarts');
  }
}

/** The checks of simulated swarms are shown histories that must not be, and have to say so. */
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/manager/store/change.ts';
import type { ObjectKind, StoreObjects } from '../../../src/manager/store/objects.ts';
import type { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { Network, Secret } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { AssignmentsMessage } from '../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import {
  IPAMConfig,
  NodeDescription,
  TaskState,
  UpdateStatus,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { CommitOrder } from '../../simulation/checks/commit-order.ts';
import { Invariants } from '../../simulation/checks/invariants.ts';
import { World } from '../../simulation/checks/world.ts';
import { SharedHistory } from '../../simulation/history.ts';
import { Told } from '../../simulation/told.ts';
import { aNode, aService, aTask } from '../../support/builders.ts';

const { NEW, PENDING, ASSIGNED, READY, RUNNING, FAILED, COMPLETE, SHUTDOWN } = TaskState;

/** Commits one object after the other, and keeps what violated which invariant. */
class History {
  readonly #invariants = new Invariants();

  get violated(): readonly string[] {
    return this.#invariants.violations.map((violation) => violation.split(':')[0] ?? '');
  }

  put<K extends ObjectKind>(kind: K, ...objects: readonly StoreObjects[K][]): this {
    this.#invariants.observe(objects.map((object) => this.#change(kind, object)));
    return this;
  }

  delete(kind: ObjectKind, id: string): this {
    const object = this.#old(kind, id);
    this.#invariants.observe([{ action: 'delete', kind, object, old: object } as Change]);
    return this;
  }

  #change(kind: ObjectKind, object: StoreObjects[ObjectKind]): Change {
    const old = this.#old(kind, object.id);
    return { action: old ? 'update' : 'create', kind, object, old } as Change;
  }

  #old(kind: ObjectKind, id: string): StoreObjects[ObjectKind] | undefined {
    return this.#invariants.world.tables[kind].get(id);
  }
}

const web = aService({ replicas: 2 });
const aNewTask = (id: string, service = web, given: Readonly<Record<string, unknown>> = {}): Task =>
  aTask(service, { id, slot: 1, status: { state: NEW }, ...given });
const inState = (task: Task, state: TaskState, changes: Partial<Task> = {}): Task => ({
  ...task,
  ...changes,
  status: { ...task.status!, state },
});
const on = (nodeId: string, task: Task): Task => ({ ...task, nodeId });

/** A history with a task that runs on n1. */
function aRunningTask(service: Service = web): { readonly history: History; readonly task: Task } {
  const history = new History().put('node', aNode('n1')).put('service', service);
  const born = aNewTask('t1', service);
  history.put('task', born).put('task', inState(born, PENDING));
  const placed = on('n1', inState(born, ASSIGNED));
  const task = inState(placed, RUNNING);
  history.put('task', placed).put('task', task);
  expect(history.violated).toEqual([]);
  return { history, task };
}

describe('a check of single commits notices', () => {
  it('a task that goes back, changes what it is, or ends twice', () => {
    const { history, task } = aRunningTask();
    history.put('task', inState(task, READY));
    history.put('task', { ...task, slot: 7 });
    history.put('task', inState(task, FAILED));
    history.put('task', inState(task, SHUTDOWN));
    expect(history.violated).toEqual(expect.arrayContaining(['invariant 2', 'invariant 1', 'invariant 9']));
  });

  it('a task that changes its node, and one that is placed nowhere', () => {
    const { history, task } = aRunningTask();
    history.put('task', on('n2', task)).put('task', on('', task));
    expect(history.violated.filter((each) => each === 'invariant 4').length).toBeGreaterThan(1);
  });

  it('steps nobody may take: past the scheduler, past what is wanted, deletion of what runs', () => {
    const { history, task } = aRunningTask();
    history.put('task', aNewTask('t2', web, { slot: 2, desiredState: READY }));
    history.put('task', on('n1', inState(aNewTask('t2', web, { slot: 2, desiredState: READY }), RUNNING)));
    history.delete('task', task.id);
    expect(history.violated).toEqual(expect.arrayContaining(['invariant 5', 'invariant 6']));
  });

  it('a task without a service', () => {
    expect(new History().put('task', aNewTask('t1')).violated).toEqual(['invariant 10']);
  });

  it('two wanted tasks in a slot, and a number that is not the lowest', () => {
    const { history } = aRunningTask();
    history.put('task', aNewTask('t2')).put('task', aNewTask('t3', web, { slot: 3 }));
    expect(history.violated).toEqual(['invariant 11', 'invariant 12']);
  });

  it('a replacement that replaces nothing, comes too early, or comes too often', () => {
    const service = aService({ restart: { delayMs: 1000, maxAttempts: 1 } });
    const { history, task } = aRunningTask(service);
    const successor = (id: string): Task =>
      aNewTask(id, service, { desiredState: READY, startAfter: { seconds: 0, nanos: 1 } });
    const failed = inState(task, FAILED);
    history.put('task', failed);
    history.put('task', { ...failed, desiredState: SHUTDOWN }, successor('t2'));
    expect(history.violated).toEqual(['invariant 17']);
    const again = inState(on('n1', successor('t2')), FAILED);
    history.put('task', again).put('task', { ...again, desiredState: SHUTDOWN }, successor('t3'));
    history.put('task', { ...successor('t4'), slot: 2 });
    expect(history.violated.filter((each) => each === 'invariant 17').length).toBeGreaterThan(2);
    expect(history.violated).toContain('invariant 16');
  });

  it('a task that has to go for no reason', () => {
    const { history, task } = aRunningTask();
    const successor = aNewTask('t2', web, { desiredState: READY, startAfter: { seconds: 0, nanos: 0 } });
    history.put('task', { ...task, desiredState: SHUTDOWN }, successor);
    expect(history.violated).toEqual(['invariant 18']);
  });

  it('an update that touches a slot after its pause, and a rollback to something else', () => {
    const { history, task } = aRunningTask();
    const updated = aService({ replicas: 2, image: 'v2' });
    const status = (state: UpdateState) => UpdateStatus.fromPartial({ state });
    const paused = {
      ...updated,
      specVersion: { index: 9 },
      previousSpec: web.spec,
      updateStatus: status(UpdateState.PAUSED),
    };
    const successor = aNewTask('t2', paused, { desiredState: READY, startAfter: { seconds: 0, nanos: 0 } });
    history.put('service', paused).put('task', { ...task, desiredState: SHUTDOWN }, successor);
    expect(history.violated).toEqual(['invariant 20']);
    const other = aService({ replicas: 2, image: 'v3' });
    history.put('service', {
      ...other,
      specVersion: { index: 10 },
      updateStatus: status(UpdateState.ROLLBACK_STARTED),
    });
    expect(history.violated).toEqual(['invariant 20', 'invariant 21']);
  });

  it('more slots in work than the parallelism of an update', () => {
    const { history, task } = aRunningTask();
    const updateStatus = UpdateStatus.fromPartial({ state: UpdateState.UPDATING });
    const updated = {
      ...aService({ replicas: 2, image: 'v2', update: { parallelism: 1 } }),
      updateStatus,
      specVersion: { index: 9 },
    };
    const second = { ...on('n1', inState(aNewTask('u1'), RUNNING)), slot: 2 };
    history
      .put('task', aNewTask('u1', web, { slot: 2 }))
      .put('task', second)
      .put('service', updated);
    const before = history.violated.length;
    const successor = (id: string, slot: number): Task =>
      aNewTask(id, updated, { slot, desiredState: READY, startAfter: { seconds: 0, nanos: 0 } });
    history.put('task', { ...task, desiredState: SHUTDOWN }, successor('t2', 1));
    history.put('task', { ...second, desiredState: SHUTDOWN }, successor('u2', 2));
    expect(history.violated.slice(before)).toEqual(['invariant 19']);
  });

  it('a job with more tasks than it asks for', () => {
    const job = aService({ replicatedJob: { maxConcurrent: 1, totalCompletions: 2 } });
    const history = new History().put('service', job);
    for (const [id, slot] of [
      ['t1', 0],
      ['t2', 1],
    ] as const)
      history.put('task', aNewTask(id, job, { slot, desiredState: COMPLETE, jobIteration: { index: 0 } }));
    expect(history.violated).toEqual(['invariant 15']);
  });

  it('a task placed on a drained node, and promises beyond what a node has', () => {
    const needy = aService({ replicas: 2 });
    const reservations = { nanoCpus: 3e9, memoryBytes: 0, generic: [] };
    const spec = {
      ...needy.spec!.task!,
      resources: { reservations, limits: undefined, swapBytes: undefined, memorySwappiness: undefined },
    };
    const description = NodeDescription.fromPartial({ resources: { nanoCpus: 4e9, memoryBytes: 1 } });
    const history = new History().put('service', needy).put('node', aNode('n2', { availability: 'drain' }));
    history.put('node', { ...aNode('n1'), description });
    for (const [id, slot, nodeId] of [
      ['t1', 1, 'n1'],
      ['t2', 2, 'n1'],
      ['t3', 3, 'n2'],
    ] as const) {
      const born = { ...aNewTask(id, needy, { slot }), spec };
      history
        .put('task', born)
        .put('task', inState(born, PENDING))
        .put('task', on(nodeId, inState(born, ASSIGNED)));
    }
    expect(history.violated.filter((each) => each === 'invariant 24').length).toBeGreaterThan(1);
  });

  it('an address that two tasks hold', () => {
    const ipam = { driver: undefined, configs: [IPAMConfig.fromPartial({ subnet: '10.0.0.0/24' })] };
    const network = { ...Network.fromPartial({ id: 'net' }), ipam };
    const attached = (id: string, slot: number): Task =>
      aNewTask(id, web, { slot, networks: [{ network, addresses: ['10.0.0.5/24'] }] });
    const history = new History().put('network', network).put('service', web);
    expect(history.put('task', attached('t1', 1)).put('task', attached('t2', 2)).violated).toEqual(['invariant 41']);
  });

  it('a secret that is removed while a service uses it', () => {
    const secret = Secret.fromPartial({ id: 'secret1', spec: { annotations: { name: 'key' } } });
    const container = { image: 'v1', secrets: [{ secretId: 'secret1', secretName: 'key' }] };
    const user = aService();
    const task = {
      ...user.spec!.task!,
      runtime: { $case: 'container', value: { ...containerOf(user), ...container } },
    };
    const history = new History()
      .put('secret', secret)
      .put('service', { ...user, spec: { ...user.spec!, task } as never });
    expect(history.delete('secret', 'secret1').violated).toEqual(['invariant 38']);
  });
});

describe('the history of all managers notices', () => {
  it('two leaders in one term', () => {
    const history = new SharedHistory();
    history.leads('1', 4);
    history.leads('2', 4);
    expect(history.violations).toEqual(['invariant 32: managers 1 and 2 both lead in term 4']);
  });

  it('commits told twice, in the wrong order, or otherwise than by another manager', () => {
    const violated: unknown[] = [];
    const order = new CommitOrder((invariant) => void violated.push(invariant));
    const commit = (version: number, id: string) => ({
      version,
      changes: [{ action: 'create', kind: 'node', object: { ...aNode(id), meta: undefined } } as Change],
    });
    order.watched('1-1', commit(5, 'n1'));
    order.watched('1-1', commit(5, 'n1'));
    order.watched('2-1', commit(5, 'n2'));
    order.observe(commit(6, 'n3'), new World());
    expect(violated).toEqual([30, 31, 29]);
  });

  it('a member that comes back under its old id, and different members after the same change', () => {
    const history = new SharedHistory();
    const confState = { voters: ['1', '2'], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
    const change = (type: number) => ({ transition: 0, changes: [{ type, nodeId: '3' }], context: Buffer.alloc(0) });
    history.configures('1', { index: 4, change: change(1), confState } as never);
    history.configures('2', { index: 4, change: change(1), confState: { ...confState, voters: ['1'] } } as never);
    history.configures('1', { index: 5, change: change(0), confState } as never);
    expect(history.violations.map((text) => text.split(':')[0])).toEqual(['invariant 33', 'invariant 33']);
  });
});

describe('an agent notices', () => {
  const told = (...messages: readonly AssignmentsMessage[]): readonly unknown[] => {
    const violated: unknown[] = [];
    const agent = new Told('n1', new World(), (invariant) => void violated.push(invariant));
    for (const message of messages) agent.take(message);
    return violated;
  };
  const message = (appliesTo: string, resultsIn: string, item?: object, action = 0): AssignmentsMessage =>
    ({
      type: appliesTo === '' ? 0 : 1,
      appliesTo,
      resultsIn,
      changes: item ? [{ action, assignment: { item } }] : [],
    }) as AssignmentsMessage;

  it('a gap in what it is told', () => {
    expect(told(message('', '1'), message('2', '3'))).toEqual([39]);
  });

  it('a task of another node, and the withdrawal of one it never had', () => {
    const task = { $case: 'task', value: on('n2', aNewTask('t1')) };
    expect(told(message('', '1', task))).toEqual([43]);
    expect(told(message('', '1'), message('1', '2', task, 1))).toEqual([39]);
  });

  it('a secret that none of its tasks uses', () => {
    const secret = Secret.fromPartial({ id: 'secret1', spec: { data: Buffer.from('x') } });
    expect(told(message('', '1', { $case: 'secret', value: secret }))).toEqual([38]);
  });
});

function containerOf({ spec }: Service): object {
  return spec?.task?.runtime?.$case === 'container' ? spec.task.runtime.value : {};
}

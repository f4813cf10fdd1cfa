import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { SwarmError } from '../../../../src/common/errors.ts';
import { countingIds } from '../../../../src/common/ids.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { seededRandom } from '../../../../src/common/random.ts';
import { Alarms } from '../../../../src/manager/orchestrator/alarms.ts';
import { Orchestrator } from '../../../../src/manager/orchestrator/orchestrator.ts';
import { Store } from '../../../../src/manager/store/store.ts';
import { NodeStatus_State, NodeRole, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, aTask } from '../../../support/builders.ts';
import { SwarmWorld } from '../../../support/swarm-world.ts';

describe('alarms', () => {
  it('ring in order of time, once per key, at the earliest time that was set', () => {
    const alarms = new Alarms<string>();
    for (const [key, at] of [
      ['a', 50],
      ['b', 20],
      ['a', 10],
      ['c', 30],
      ['b', 40],
    ] as const)
      alarms.set(key, at);
    expect(alarms.next).toBe(10);
    expect(alarms.takeDue(25)).toEqual(['a', 'b']);
    expect(alarms.takeDue(100)).toEqual(['c']);
    expect([alarms.next, alarms.size]).toEqual([undefined, 0]);
  });
});

describe('the orchestrator when the store refuses', () => {
  function aStore(clock: FakeClock, refuse: () => SwarmError | undefined): Store {
    let index = 0;
    let requests = 0;
    const store: Store = new Store({
      clock,
      newRequestId: () => String(++requests),
      proposer: {
        propose: (data) => {
          const error = refuse();
          if (error) throw error;
          const at = ++index;
          queueMicrotask(() => store.applyEntry(at, data));
          return at;
        },
      },
    });
    return store;
  }

  function orchestrate(store: Store, clock: FakeClock): { readonly stop: () => void; readonly ended: Promise<void> } {
    const term = new AbortController();
    const orchestrator = new Orchestrator({
      store,
      clock,
      random: seededRandom(1),
      newId: countingIds(),
      log: silentLogger,
    });
    return { stop: () => term.abort(), ended: orchestrator.run(term.signal) };
  }

  it('tries again until it works', async () => {
    const clock = new FakeClock();
    let refusals = 0;
    const store = aStore(clock, () => (refusals-- > 0 ? new SwarmError('unavailable', 'busy') : undefined));
    await store.update((tx) => tx.service.create(aService({ replicas: 2 })));
    refusals = 3;
    const { stop, ended } = orchestrate(store, clock);
    await clock.advance(20_000);
    expect(store.read.task.size).toBe(2);
    stop();
    await ended;
  });

  it('ends quietly when its term is over, whatever it is doing', async () => {
    const clock = new FakeClock();
    const store = aStore(clock, () => undefined);
    await store.update((tx) => tx.service.create(aService({ replicas: 2 })));
    const { stop, ended } = orchestrate(store, clock);
    stop();
    await expect(ended).resolves.toBeUndefined();
  });

  it('does not let one service that cannot be stored hold up the others', async () => {
    const clock = new FakeClock();
    const store = aStore(clock, () => undefined);
    // Old and new task together are larger than a transaction may be.
    const big = aService({ id: 'big', image: 'x'.repeat(1024 * 1024) });
    const small = aService({ id: 'small' });
    for (const service of [big, small]) {
      const task = aTask(service, { id: `${service.id}1`, slot: 1, status: { state: TaskState.FAILED } });
      await store.update((tx) => tx.service.create(service));
      await store.update((tx) => tx.task.create(task));
    }
    const { stop, ended } = orchestrate(store, clock);
    await clock.advance(30_000);
    expect(store.read.task.by('service', 'small')).toHaveLength(2);
    expect(store.read.task.by('service', 'big')).toHaveLength(1);
    stop();
    await ended;
  });
});

describe('the constraint enforcer', () => {
  let world: SwarmWorld;
  afterEach(() => world.end());

  it('rejects what no longer fits, which then runs elsewhere', async () => {
    world = new SwarmWorld({ script: () => ({}) });
    const service = aService({ constraints: ['node.role==worker'], restart: { delayMs: 100 } });
    await world.create({ nodes: [aNode('n1'), aNode('n2')], services: [service] });
    await world.lead();
    await world.advance(10);
    const [task] = world.tasks();
    await world.changeNode(task?.nodeId ?? '', (node) => ({ ...node, role: NodeRole.MANAGER }));
    expect(world.store.read.task.get(task?.id ?? '')?.status).toMatchObject({
      state: TaskState.REJECTED,
      err: 'assigned node no longer meets constraints',
    });
    await world.advance(200);
    expect(world.tasks()).toHaveLength(2);
  });

  it('lets older and running tasks stay when resources do not suffice for all', async () => {
    world = new SwarmWorld();
    const service = aService({ replicas: 3 });
    const reserving = (id: string, slot: number, state: TaskState) => {
      const task = aTask(service, { id, slot, nodeId: 'n1', status: { state } });
      const reservations = { memoryBytes: 400, nanoCpus: 0, generic: [] };
      return {
        ...task,
        spec: {
          ...task.spec!,
          resources: { limits: undefined, reservations, swapBytes: undefined, memorySwappiness: undefined },
        },
      };
    };
    const room = (memoryBytes: number) => ({ memoryBytes, nanoCpus: 0, generic: [] });
    const node = aNode('n1', { state: NodeStatus_State.READY });
    await world.create({
      nodes: [{ ...node, description: { ...node.description!, resources: room(1200) } }],
      services: [{ ...service, spec: { ...service.spec!, task: reserving('x', 1, 0).spec } }],
      tasks: [
        reserving('a', 1, TaskState.READY),
        reserving('b', 2, TaskState.RUNNING),
        reserving('c', 3, TaskState.RUNNING),
      ],
    });
    await world.lead();
    await world.changeNode('n1', (old) => ({ ...old, description: { ...old.description!, resources: room(900) } }));
    const states = ['a', 'b', 'c'].map((id) => world.store.read.task.get(id)?.status?.state);
    expect(states).toEqual([TaskState.REJECTED, TaskState.RUNNING, TaskState.RUNNING]);
  });
});

describe('the reaper', () => {
  let world: SwarmWorld;
  afterEach(() => world.end());

  it('applies a lowered history limit to what is stored', async () => {
    world = new SwarmWorld({ script: () => ({ ends: { state: TaskState.FAILED, afterMs: 10 } }) });
    await world.create({ nodes: [aNode('n1')], services: [aService({ restart: { delayMs: 10 } })] });
    await world.lead();
    await world.advance(2000);
    expect(world.tasks().length).toBeGreaterThanOrEqual(5);
    world.script = () => ({});
    await world.store.update((tx) => {
      const cluster = tx.cluster.byName('default')!;
      tx.cluster.update({
        ...cluster,
        spec: { ...cluster.spec!, orchestration: { taskHistoryRetentionLimit: 2 } },
      });
    });
    await world.advance(1000);
    expect(world.tasks()).toHaveLength(2);
  });

  it('keeps what restarts are counted from, however often a task was moved', async () => {
    world = new SwarmWorld({ script: () => ({}) });
    const restart = { maxAttempts: 2, delayMs: 10 };
    await world.create({ nodes: [aNode('n1'), aNode('n2')], services: [aService({ restart })] });
    await world.lead();
    const live = () => world.tasks().find((task) => task.desiredState === TaskState.RUNNING);
    const flap = async (): Promise<void> => {
      const nodeId = live()?.nodeId ?? '';
      const setState = (state: NodeStatus_State) =>
        world.changeNode(nodeId, (node) => ({ ...node, status: { ...node.status!, state } }));
      await setState(NodeStatus_State.DOWN);
      await world.advance(1000);
      await setState(NodeStatus_State.READY);
      await world.advance(1000);
    };
    await world.advance(10);
    for (let i = 0; i < 2; i++) {
      await world.report(live()?.id ?? '', TaskState.FAILED);
      await world.advance(1000);
      for (let moves = 0; moves < 4; moves++) await flap();
      await world.lead();
    }
    expect(world.tasks()).toHaveLength(3);
    await world.report(live()?.id ?? '', TaskState.FAILED);
    await world.advance(1000);
    expect(live()).toBeUndefined();
  });
});

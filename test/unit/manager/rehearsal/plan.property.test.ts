import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId } from '../../../../src/common/ids.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { seededRandom } from '../../../../src/common/random.ts';
import { rehearse } from '../../../../src/manager/rehearsal/rehearse.ts';
import { Stage } from '../../../../src/manager/rehearsal/stage.ts';
import type { Store, StoreCapture } from '../../../../src/manager/store/store.ts';
import { UpdateServiceRequest_Rollback } from '../../../../src/proto/generated/docker/swarmkit/v1/control.ts';
import type { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { ContainerSpec, ServiceSpec, type TaskSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  Placement,
  TaskState,
  UpdateConfig_UpdateOrder as Order,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aCluster } from '../../../support/local-control.ts';
import { localStore } from '../../../support/local-store.ts';
import { aNode } from '../scheduler/builders.ts';

const MIB = 2 ** 20;
const NOW_MS = 1_700_000_000_000;

interface Wish {
  readonly replicas: number;
  readonly memoryBytes: number;
  readonly isGlobal: boolean;
  readonly zone: string | undefined;
  readonly strategy: string;
  readonly order: Order;
  readonly parallelism: number;
  readonly maxPerNode: number;
  readonly env: string;
}

const wish: fc.Arbitrary<Wish> = fc.record({
  replicas: fc.nat(8),
  memoryBytes: fc.constantFrom(0, 20 * MIB, 40 * MIB),
  isGlobal: fc.boolean(),
  zone: fc.constantFrom(undefined, undefined, 'a', 'none'),
  strategy: fc.constantFrom('spread', 'binpack'),
  order: fc.constantFrom(Order.STOP_FIRST, Order.START_FIRST),
  parallelism: fc.nat(2),
  maxPerNode: fc.constantFrom(0, 0, 2),
  env: fc.constantFrom('A=1', 'A=2'),
});

function specOf(name: string, w: Wish): ServiceSpec {
  const constraints: readonly string[] = w.zone === undefined ? [] : [`node.labels.zone==${w.zone}`];
  const spec = ServiceSpec.fromPartial({
    annotations: { name, labels: { 'swarmd.strategy': w.strategy } },
    task: { resources: { reservations: { memoryBytes: w.memoryBytes } } },
    update: { parallelism: w.parallelism, order: w.order, monitor: { seconds: 1, nanos: 0 } },
  });
  const container = ContainerSpec.fromPartial({ image: 'busybox', labels: { version: w.env } });
  const placement = Placement.fromPartial({ maxReplicas: w.isGlobal ? 0 : w.maxPerNode });
  return {
    ...spec,
    task: {
      ...(spec.task as TaskSpec),
      runtime: { $case: 'container', value: container },
      placement: { ...placement, constraints },
    },
    mode: w.isGlobal ? { $case: 'global', value: {} } : { $case: 'replicated', value: { replicas: w.replicas } },
  };
}

interface Machine {
  readonly memoryBytes: number;
  readonly zone: string;
  readonly isDrained: boolean;
}

const nodes: fc.Arbitrary<readonly Machine[]> = fc.array(
  fc.record({
    memoryBytes: fc.constantFrom(60 * MIB, 100 * MIB, 200 * MIB),
    zone: fc.constantFrom('a', 'b'),
    isDrained: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);

/** A state with nodes, on which services were created one after another. */
async function stateWith(machines: readonly Machine[]): Promise<StoreCapture> {
  const { store } = localStore();
  await store.update((tx) => {
    tx.cluster.create(aCluster());
    for (const [i, { memoryBytes, zone, isDrained }] of machines.entries()) {
      tx.node.create(aNode(`n${i}`, { memoryBytes, isDrained: isDrained && i > 0, labels: { zone } }));
    }
  });
  return store.capture();
}

/** A cluster whose agents take their time, all the same: which of two tasks makes room first no plan can know. */
const cluster = (state: StoreCapture, stepMs: number): Stage =>
  new Stage({ state, nowMs: NOW_MS, random: seededRandom(1), newId, log: silentLogger, stepMs: () => stepMs });

/** Where the newest task of each slot is. */
function placement(store: Store, serviceId: string): readonly string[] {
  const newest = new Map<string, Task>();
  for (const task of store.read.task.by('service', serviceId)) {
    if (task.desiredState > TaskState.RUNNING || (task.status?.state ?? 0) > TaskState.RUNNING) continue;
    const key = task.slot === 0 ? task.nodeId : String(task.slot);
    if ((newest.get(key)?.meta?.createdAt?.seconds ?? 0) <= (task.meta?.createdAt?.seconds ?? 0)) newest.set(key, task);
  }
  return [...newest.values()]
    .map((task) => `${task.slot} on ${task.nodeId || `none: ${task.status?.err ?? ''}`}`)
    .sort();
}

const planned = (plan: Awaited<ReturnType<typeof rehearse>>): readonly string[] =>
  plan.tasks
    .filter((task) => task.action !== 'stop')
    .map((task) => `${task.slot} on ${task.nodeId || `none: ${task.reason}`}`)
    .sort();

describe('a plan', () => {
  it('of a create and of an update says what then happens', async () => {
    await fc.assert(
      fc.asyncProperty(
        nodes,
        fc.array(wish, { maxLength: 2 }),
        wish,
        wish,
        fc.integer({ min: 20, max: 400 }),
        async (machines, others, a, b, stepMs) => {
          const world = cluster(await stateWith(machines), stepMs);
          world.start();
          const plan = (change: Parameters<typeof rehearse>[1]) =>
            rehearse(
              {
                state: world.store.capture(),
                nowMs: world.clock.now(),
                random: seededRandom(1),
                newId,
                log: silentLogger,
              },
              change,
            );
          try {
            for (const [i, other] of others.entries()) {
              await world.control.createService({ id: '', spec: specOf(`other${i}`, other) });
              await world.clock.advance(60_000);
            }
            const created = await plan(
              async (control) => (await control.createService({ id: '', spec: specOf('web', a) })).service,
            );
            const { service } = await world.control.createService({ id: '', spec: specOf('web', a) });
            await world.clock.advance(60_000);
            const id = service?.id ?? '';
            expect(planned(created)).toEqual(placement(world.store, id));

            const update = {
              serviceId: id,
              spec: specOf('web', { ...b, isGlobal: a.isGlobal }),
              rollback: UpdateServiceRequest_Rollback.NONE,
            };
            const versioned = () => ({ ...update, serviceVersion: world.store.read.service.get(id)?.meta?.version });
            const changed = await plan(async (control) => (await control.updateService(versioned())).service);
            await world.control.updateService(versioned());
            await world.clock.advance(300_000);
            expect(planned(changed)).toEqual(placement(world.store, id));
          } finally {
            await world.stop();
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});

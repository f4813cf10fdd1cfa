/** Properties that hold whatever happens, with leaders coming and going. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { isWanted } from '../../../../src/manager/orchestrator/task-life.ts';
import { slotKey } from '../../../../src/manager/store/objects.ts';
import { NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import type { ServiceSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, type ServiceGiven } from '../../../support/builders.ts';
import { Invariants, ORCHESTRATOR_CHECKS } from '../../../simulation/checks/invariants.ts';
import { SwarmWorld } from '../../../support/swarm-world.ts';

// Many runs on a busy machine take their time.
vi.setConfig({ testTimeout: 120_000 });

const NODES = ['n1', 'n2', 'n3'] as const;

type Event =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'newLeader' }
  | { readonly kind: 'end'; readonly pick: number; readonly state: TaskState }
  | { readonly kind: 'node'; readonly id: string; readonly state: NodeStatus_State }
  | { readonly kind: 'availability'; readonly id: string; readonly availability: NodeSpec_Availability }
  | { readonly kind: 'scale'; readonly replicas: number }
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'deleteTask'; readonly pick: number };

const { UNKNOWN, DOWN, READY, DISCONNECTED } = NodeStatus_State;
const { ACTIVE, PAUSE, DRAIN } = NodeSpec_Availability;
const { COMPLETE, FAILED, REJECTED } = TaskState;

const waits = fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 10, 300, 3000, 8000, 70_000) });
const leaders = fc.constant({ kind: 'newLeader' as const });
const scales = fc.record({ kind: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 6 }) });
const images = fc.record({ kind: fc.constant('image' as const), image: fc.constantFrom('v1', 'v2', 'v3') });
const troubles: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant('end' as const),
    pick: fc.nat(20),
    state: fc.constantFrom(COMPLETE, FAILED, REJECTED),
  }),
  fc.record({
    kind: fc.constant('node' as const),
    id: fc.constantFrom(...NODES),
    state: fc.constantFrom(UNKNOWN, DOWN, READY, DISCONNECTED),
  }),
  fc.record({
    kind: fc.constant('availability' as const),
    id: fc.constantFrom(...NODES),
    availability: fc.constantFrom(ACTIVE, PAUSE, DRAIN),
  }),
  fc.record({ kind: fc.constant('deleteTask' as const), pick: fc.nat(20) }),
);
const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: waits }, leaders, scales, images, { weight: 3, arbitrary: troubles }),
  { maxLength: 25 },
);

const services: fc.Arbitrary<ServiceGiven> = fc.record({
  global: fc.boolean(),
  replicas: fc.integer({ min: 1, max: 5 }),
  restart: fc.record({
    condition: fc.constantFrom('any' as const, 'any' as const, 'on-failure' as const, 'none' as const),
    delayMs: fc.constantFrom(0, 200, 5000),
    maxAttempts: fc.constantFrom(0, 0, 2),
  }),
  update: fc.record({
    parallelism: fc.constantFrom(0, 1, 2),
    delayMs: fc.constantFrom(0, 100),
    monitorMs: fc.constantFrom(0, 500),
    failureAction: fc.constantFrom('pause' as const, 'continue' as const, 'rollback' as const),
    order: fc.constantFrom('stop-first' as const, 'start-first' as const),
  }),
});

const withImage = (spec: ServiceSpec, image: string): ServiceSpec => {
  const task = spec.task!;
  if (task.runtime?.$case !== 'container') return spec;
  return { ...spec, task: { ...task, runtime: { $case: 'container', value: { ...task.runtime.value, image } } } };
};

async function happen(world: SwarmWorld, event: Event): Promise<void> {
  const pick = (n: number) => world.tasks()[n % Math.max(1, world.tasks().length)];
  switch (event.kind) {
    case 'wait':
      return world.advance(event.ms);
    case 'newLeader':
      return world.lead();
    case 'end': {
      const task = pick(event.pick);
      if (task && task.nodeId !== '' && (task.status?.state ?? 0) <= TaskState.RUNNING)
        await world.report(task.id, event.state);
      return;
    }
    case 'node':
      return world.changeNode(event.id, (node) => ({ ...node, status: { ...node.status!, state: event.state } }));
    case 'availability':
      return world.changeNode(event.id, (node) => ({
        ...node,
        spec: { ...node.spec!, availability: event.availability },
      }));
    case 'scale':
      if (world.service().spec?.mode?.$case !== 'replicated') return;
      return world.changeService((spec) => ({
        ...spec,
        mode: { $case: 'replicated', value: { replicas: event.replicas } },
      }));
    case 'image':
      return world.changeService((spec) => withImage(spec, event.image));
    case 'deleteTask': {
      const task = pick(event.pick);
      if (task) await world.store.update((tx) => tx.task.delete(task.id));
      return world.settle();
    }
  }
}

async function aBusyWorld(given: ServiceGiven): Promise<{ world: SwarmWorld; invariants: Invariants }> {
  const world = new SwarmWorld({ script: () => ({ stopMs: 50, prepareMs: 20 }) });
  const invariants = new Invariants(ORCHESTRATOR_CHECKS);
  world.onCommit = invariants.observe;
  await world.create({ nodes: NODES.map((id) => aNode(id)), services: [aService(given)] });
  await world.lead();
  await world.advance(500);
  return { world, invariants };
}

/** All nodes are well again, failures stop, and the user makes a fresh start. */
async function recover(world: SwarmWorld): Promise<void> {
  for (const id of NODES) {
    await world.changeNode(id, (node) => ({
      ...node,
      status: { ...node.status!, state: READY },
      spec: { ...node.spec!, availability: ACTIVE },
    }));
  }
  await world.changeService((spec) => withImage(spec, 'final'));
  await world.advance(400_000);
}

describe('whatever happens', () => {
  it('tasks only go forward, a slot has one wanted task, replacements are atomic and within the policy', async () => {
    await fc.assert(
      fc.asyncProperty(services, events, async (given, list) => {
        const { world, invariants } = await aBusyWorld(given);
        try {
          for (const event of list) await happen(world, event);
          expect(invariants.violations).toEqual([]);
        } finally {
          await world.end();
        }
      }),
      { numRuns: 150 },
    );
  });

  it('services come back to what they ask for, keep their history limit, and then nothing moves', async () => {
    await fc.assert(
      fc.asyncProperty(services, events, async (given, list) => {
        const { world, invariants } = await aBusyWorld(given);
        try {
          for (const event of list) await happen(world, event);
          await recover(world);
          const running = world
            .tasks()
            .filter(
              (task) =>
                isWanted(task) && task.status?.state === TaskState.RUNNING && task.desiredState === TaskState.RUNNING,
            );
          const mode = world.service().spec?.mode;
          const places = new Set(running.map((task) => slotKey(task)));
          expect(places.size).toBe(running.length);
          expect(running.length).toBe(mode?.$case === 'replicated' ? mode.value.replicas : NODES.length);
          expect(world.tasks().filter(isWanted)).toHaveLength(running.length);
          const perSlot = new Map<string, number>();
          for (const task of world.tasks()) perSlot.set(slotKey(task), (perSlot.get(slotKey(task)) ?? 0) + 1);
          expect(Math.max(0, ...perSlot.values())).toBeLessThanOrEqual(5);

          const quiet = world.changes.length;
          await world.lead();
          await world.advance(100_000);
          for (const id of NODES)
            await world.changeNode(id, (node) => ({ ...node, status: { ...node.status!, state: UNKNOWN } }));
          await world.lead();
          await world.advance(100_000);
          expect(world.changes.slice(quiet).filter((change) => change.kind !== 'node')).toEqual([]);
          expect(invariants.violations).toEqual([]);
        } finally {
          await world.end();
        }
      }),
      { numRuns: 100 },
    );
  });
});

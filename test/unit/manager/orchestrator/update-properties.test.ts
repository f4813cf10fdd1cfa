/** Properties of rolling updates and crash loops, with leader changes at any moment. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { isRunning, isWanted } from '../../../../src/manager/orchestrator/task-life.ts';
import type { ServiceSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  TaskState,
  UpdateStatus_UpdateState as UpdateState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService, imageOf, type ServiceGiven, type UpdateGiven } from '../../../support/builders.ts';
import { Invariants, ORCHESTRATOR_CHECKS } from '../../../simulation/checks/invariants.ts';
import { SwarmWorld, type Script } from '../../../support/swarm-world.ts';

// Many runs on a busy machine take their time.
vi.setConfig({ testTimeout: 120_000 });

const withImage =
  (image: string) =>
  (spec: ServiceSpec): ServiceSpec => {
    const task = spec.task!;
    if (task.runtime?.$case !== 'container') return spec;
    return { ...spec, task: { ...task, runtime: { $case: 'container', value: { ...task.runtime.value, image } } } };
  };

async function aRunningWorld(given: ServiceGiven, script: Script): Promise<SwarmWorld> {
  const world = new SwarmWorld({ script });
  await world.create({ nodes: [aNode('n1'), aNode('n2')], services: [aService(given)] });
  await world.lead();
  await world.advance(1000);
  return world;
}

/** Lets time pass in small ticks; a new leader comes after each tick whose number is listed. */
async function pass(world: SwarmWorld, ticks: number, leaderAt: readonly number[], each: () => void): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) {
    await world.advance(25);
    if (leaderAt.includes(tick)) await world.lead();
    each();
  }
}

const leaderChanges = fc.array(fc.nat(60), { maxLength: 4 });
const HANDLING: Script = () => ({ stopMs: 60, prepareMs: 40 });

describe('an update without failures', () => {
  const updates = fc.record({
    parallelism: fc.integer({ min: 1, max: 4 }),
    delayMs: fc.constantFrom(0, 100),
    monitorMs: fc.constantFrom(0, 200),
    order: fc.constantFrom('stop-first' as const, 'start-first' as const),
  });

  it('takes no more slots out of service, and adds no more tasks, than its parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), updates, leaderChanges, async (replicas, update, leaderAt) => {
        const world = await aRunningWorld({ replicas, update }, HANDLING);
        try {
          await world.changeService(withImage('v2'));
          await pass(world, 150, leaderAt, () => {
            const wanted = world.tasks().filter(isWanted);
            const served = new Set(wanted.filter(isRunning).map((task) => task.slot));
            const parallel = update.parallelism;
            expect(replicas - served.size).toBeLessThanOrEqual(update.order === 'stop-first' ? parallel : 0);
            expect(wanted.length - replicas).toBeLessThanOrEqual(update.order === 'stop-first' ? 0 : parallel);
          });
          await world.advance(5000);
          expect(world.tasks().filter(isWanted).map(imageOf)).toEqual(Array(replicas).fill('v2'));
          expect(world.service().updateStatus).toMatchObject({
            state: UpdateState.COMPLETED,
            message: 'update completed',
          });
        } finally {
          await world.end();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('stays within its parallelism when the user changes his mind half-way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), updates, fc.nat(30), async (replicas, update, when) => {
        const world = await aRunningWorld({ replicas, update: { ...update, order: 'stop-first' } }, HANDLING);
        try {
          await world.changeService(withImage('v2'));
          await pass(world, when, [], () => undefined);
          await world.changeService(withImage('v3'));
          await pass(world, 150, [], () => {
            const served = new Set(
              world
                .tasks()
                .filter((t) => isWanted(t) && isRunning(t))
                .map((t) => t.slot),
            );
            expect(replicas - served.size).toBeLessThanOrEqual(update.parallelism);
          });
          await world.advance(5000);
          expect(world.tasks().filter(isWanted).map(imageOf)).toEqual(Array(replicas).fill('v3'));
        } finally {
          await world.end();
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a failing update', () => {
  const failing: Script = (task) => ({
    stopMs: 60,
    ...(imageOf(task) === 'bad' && { endsBeforeRunning: TaskState.FAILED }),
  });
  const updates: fc.Arbitrary<UpdateGiven> = fc.record({
    parallelism: fc.integer({ min: 1, max: 3 }),
    monitorMs: fc.constantFrom(100, 500),
    maxFailureRatio: fc.constantFrom(0, 0.3, 0.5),
    order: fc.constantFrom('stop-first' as const, 'start-first' as const),
  });

  it('pauses when too many failed, and touches no further slot then', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), updates, leaderChanges, async (replicas, update, leaderAt) => {
        const world = await aRunningWorld({ replicas, update, restart: { condition: 'none' } }, failing);
        const invariants = new Invariants(ORCHESTRATOR_CHECKS);
        try {
          await world.changeService(withImage('bad'));
          let pausedAt: number | undefined;
          await pass(world, 120, leaderAt, () => {
            if (world.service().updateStatus?.state === UpdateState.PAUSED) pausedAt ??= world.created().length;
          });
          await world.advance(20_000);
          await world.lead();
          await world.advance(20_000);
          expect(world.service().updateStatus?.state).toBe(UpdateState.PAUSED);
          expect(world.created().length).toBe(pausedAt);
          const failed = world.tasks().filter((task) => imageOf(task) === 'bad').length;
          expect(failed / replicas).toBeGreaterThan(update.maxFailureRatio ?? 0);
          // Start-first costs nothing: every old task is still there.
          const old = world.tasks().filter((task) => isWanted(task) && isRunning(task)).length;
          expect(old).toBe(update.order === 'start-first' ? replicas : replicas - failed);
          expect(world.tasks().filter(isWanted)).toHaveLength(old);
          expect(invariants.violations).toEqual([]);
        } finally {
          await world.end();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('rolls back to exactly the spec before, leaves tasks alone that have it, and never rolls back twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 5 }), updates, leaderChanges, async (replicas, update, leaderAt) => {
        const given: ServiceGiven = { replicas, update: { ...update, failureAction: 'rollback' } };
        const world = await aRunningWorld(given, failing);
        try {
          const before = world.service().spec;
          const survivors = new Set(world.tasks().map((task) => task.id));
          await world.changeService(withImage('bad'));
          const touched = new Set<string>();
          await pass(world, 120, leaderAt, () => {
            for (const task of world.tasks()) if (!isWanted(task)) touched.add(task.id);
          });
          await world.advance(30_000);
          const service = world.service();
          expect(service.updateStatus).toMatchObject({
            state: UpdateState.ROLLBACK_COMPLETED,
            message: 'rollback completed',
          });
          expect(service.spec).toEqual(before);
          expect(service.previousSpec).toBeUndefined();
          expect(
            world
              .tasks()
              .filter((t) => isWanted(t) && isRunning(t))
              .map(imageOf),
          ).toEqual(Array(replicas).fill('v1'));
          const restarted = [...touched].filter((id) => survivors.has(id)).length;
          const failed = world.tasks().filter((task) => imageOf(task) === 'bad').length;
          expect(restarted).toBeLessThanOrEqual(update.order === 'start-first' ? 0 : Math.max(failed, 1));
        } finally {
          await world.end();
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('changes that restart nothing', () => {
  const changes: fc.Arbitrary<(spec: ServiceSpec) => ServiceSpec> = fc.constantFrom(
    (spec) => ({ ...spec, annotations: { ...spec.annotations!, labels: { some: 'label' } } }),
    (spec) => ({ ...spec, mode: { $case: 'replicated' as const, value: { replicas: 5 } } }),
    (spec) => ({
      ...spec,
      task: {
        ...spec.task!,
        placement: { constraints: ['node.role==worker'], preferences: [], platforms: [], maxReplicas: 3 },
      },
    }),
    (spec) => {
      const runtime = spec.task?.runtime;
      if (runtime?.$case !== 'container') return spec;
      const value = { ...runtime.value, pullOptions: { registryAuth: 'other' } };
      return { ...spec, task: { ...spec.task!, runtime: { $case: 'container' as const, value } } };
    },
  );

  it('are scale, labels, placement that still matches, and credentials', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 4 }), async (list) => {
        const world = await aRunningWorld({ replicas: 3 }, HANDLING);
        try {
          const before = world.tasks().map((task) => task.id);
          for (const change of list) {
            await world.changeService(change);
            await world.advance(7000);
          }
          for (const id of before) {
            const task = world.store.read.task.get(id);
            expect([task?.desiredState, task?.status?.state]).toEqual([TaskState.RUNNING, TaskState.RUNNING]);
          }
          expect(world.service().updateStatus).toBeUndefined();
        } finally {
          await world.end();
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('a task that fails again and again', () => {
  it('is restarted as often as allowed, each time after the delay, whoever leads', async () => {
    const policies = fc.record({
      maxAttempts: fc.integer({ min: 1, max: 6 }),
      delayMs: fc.constantFrom(50, 300),
      runsMs: fc.constantFrom(0, 100),
      global: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(policies, leaderChanges, async ({ maxAttempts, delayMs, runsMs, global }, leaderAt) => {
        const world = new SwarmWorld({
          script: () => ({ ends: { state: TaskState.FAILED, afterMs: runsMs } }),
          historyLimit: 2,
        });
        try {
          await world.create({
            nodes: [aNode('n1')],
            services: [aService({ global, restart: { maxAttempts, delayMs } })],
          });
          await world.lead();
          const ran: number[] = [];
          world.onCommit = (changes) => {
            for (const change of changes)
              if (
                change.kind === 'task' &&
                change.object.status?.state === TaskState.RUNNING &&
                change.old?.status?.state !== TaskState.RUNNING
              )
                ran.push(world.clock.now());
          };
          await pass(world, 60, leaderAt, () => undefined);
          await world.advance(20_000);
          expect(world.created()).toHaveLength(maxAttempts + 1);
          ran.forEach((at, i) => expect(i === 0 ? delayMs : at - (ran[i - 1] ?? 0)).toBeGreaterThanOrEqual(delayMs));
          expect(world.tasks().filter(isWanted)).toEqual([]);
        } finally {
          await world.end();
        }
      }),
      { numRuns: 60 },
    );
  });
});

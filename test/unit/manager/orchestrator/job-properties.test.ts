/** What holds for jobs whatever happens, with leaders, nodes and iterations coming and going. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { hasCompleted } from '../../../../src/manager/orchestrator/job.ts';
import { isWanted } from '../../../../src/manager/orchestrator/task-life.ts';
import type { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService } from '../../../support/builders.ts';
import { SwarmWorld } from '../../../support/swarm-world.ts';

// Many runs on a busy machine take their time.
vi.setConfig({ testTimeout: 120_000 });

const NODES = ['n1', 'n2', 'n3'] as const;
const { DOWN, READY, UNKNOWN } = NodeStatus_State;
const { ACTIVE, DRAIN, PAUSE } = NodeSpec_Availability;
const { COMPLETE, FAILED } = TaskState;

type Event =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'newLeader' }
  | { readonly kind: 'update'; readonly maxConcurrent: number; readonly totalCompletions: number }
  | { readonly kind: 'end'; readonly pick: number; readonly state: TaskState }
  | { readonly kind: 'node'; readonly id: string; readonly state: NodeStatus_State }
  | { readonly kind: 'availability'; readonly id: string; readonly availability: NodeSpec_Availability };

const counts = { maxConcurrent: fc.integer({ min: 0, max: 4 }), totalCompletions: fc.integer({ min: 0, max: 8 }) };
const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 10, 300, 2000, 70_000) }),
    fc.constant({ kind: 'newLeader' as const }),
    fc.record({ kind: fc.constant('update' as const), ...counts }),
    fc.record({ kind: fc.constant('end' as const), pick: fc.nat(20), state: fc.constantFrom(COMPLETE, FAILED) }),
    fc.record({
      kind: fc.constant('node' as const),
      id: fc.constantFrom(...NODES),
      state: fc.constantFrom(DOWN, READY, UNKNOWN),
    }),
    fc.record({
      kind: fc.constant('availability' as const),
      id: fc.constantFrom(...NODES),
      availability: fc.constantFrom(ACTIVE, DRAIN, PAUSE),
    }),
  ),
  { maxLength: 20 },
);

async function happen(world: SwarmWorld, event: Event): Promise<void> {
  switch (event.kind) {
    case 'wait':
      return world.advance(event.ms);
    case 'newLeader':
      return world.lead();
    case 'update': {
      const { maxConcurrent, totalCompletions } = event;
      return world.changeService((spec) =>
        spec.mode?.$case === 'globalJob'
          ? spec
          : { ...spec, mode: { $case: 'replicatedJob', value: { maxConcurrent, totalCompletions } } },
      );
    }
    case 'end': {
      const running = world.tasks().filter((task) => task.status?.state === TaskState.RUNNING);
      const task = running[event.pick % Math.max(1, running.length)];
      return task && world.report(task.id, event.state);
    }
    case 'node':
      return world.changeNode(event.id, (node) => ({ ...node, status: { ...node.status!, state: event.state } }));
    case 'availability':
      return world.changeNode(event.id, (node) => ({
        ...node,
        spec: { ...node.spec!, availability: event.availability },
      }));
  }
}

const presentTasks = (world: SwarmWorld): readonly Task[] =>
  world.tasks().filter((task) => task.jobIteration?.index === world.service().jobStatus?.jobIteration?.index);

/** Completed and active slots together never exceed the total, and no more are active than may be. */
function violation(world: SwarmWorld): string | undefined {
  const mode = world.service().spec?.mode;
  const tasks = presentTasks(world);
  const wanted = tasks.filter(isWanted);
  if (mode?.$case === 'globalJob') {
    const nodes = wanted.map((task) => task.nodeId);
    return new Set(nodes).size === nodes.length ? undefined : `two wanted tasks on a node: ${nodes.join(', ')}`;
  }
  if (mode?.$case !== 'replicatedJob') return 'no job';
  const { totalCompletions } = mode.value;
  const maxConcurrent = mode.value.maxConcurrent || totalCompletions;
  const done = new Set(tasks.filter(hasCompleted).map((task) => task.slot));
  const open = wanted.map((task) => task.slot).filter((slot) => !done.has(slot));
  if (new Set(open).size !== open.length) return `a slot is filled twice: ${open.join(', ')}`;
  if (tasks.some((task) => task.slot >= totalCompletions)) return 'a slot beyond the last';
  if (done.size + open.length > totalCompletions) return `${done.size} done and ${open.length} active`;
  return open.length > maxConcurrent ? `${open.length} active at a time` : undefined;
}

describe('a job, whatever happens', () => {
  it('never has more completions and active tasks than it may, and completes when failures stop', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.record(counts), events, async (globalJob, job, list) => {
        const world = new SwarmWorld({
          script: (task) => ({
            prepareMs: 20,
            stopMs: 50,
            ends: { state: COMPLETE, afterMs: Number(task.id.slice(1)) % 3 === 0 ? 5000 : 400 },
          }),
        });
        const violations: string[] = [];
        try {
          world.onCommit = () => {
            const found = world.store.read.service.get('s1') && violation(world);
            if (found) violations.push(found);
          };
          const restart = { condition: 'on-failure' as const, delayMs: 500 };
          const service = aService({ restart, ...(globalJob ? { globalJob } : { replicatedJob: job }) });
          await world.create({ nodes: NODES.map((id) => aNode(id)), services: [service] });
          await world.lead();
          for (const event of list) await happen(world, event);
          for (const id of NODES) {
            await happen(world, { kind: 'availability', id, availability: ACTIVE });
            await happen(world, { kind: 'node', id, state: READY });
          }
          await world.advance(200_000);
          expect(violations).toEqual([]);
          const done = presentTasks(world).filter(hasCompleted);
          const mode = world.service().spec?.mode;
          const places = new Set(done.map((task) => (globalJob ? task.nodeId : task.slot)));
          expect(places.size).toBe(mode?.$case === 'replicatedJob' ? mode.value.totalCompletions : NODES.length);
          expect(world.tasks().filter(isWanted)).toEqual([]);
          const quiet = world.changes.length;
          await world.lead();
          await world.advance(100_000);
          expect(world.changes.length).toBe(quiet);
        } finally {
          await world.end();
        }
      }),
      { numRuns: 120 },
    );
  });
});

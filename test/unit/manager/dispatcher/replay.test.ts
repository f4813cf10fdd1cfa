/** Whatever happens to tasks and secrets, an agent that applies each message ends up with exactly what it should hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { ServerStream } from '../../../../src/common/server-stream.ts';
import { AssignmentFeed } from '../../../../src/manager/dispatcher/assignment-feed.ts';
import { AssignmentHub } from '../../../../src/manager/dispatcher/assignment-hub.ts';
import { assignmentMessages } from '../../../../src/manager/dispatcher/assignment-messages.ts';
import type { Reader } from '../../../../src/manager/store/transaction.ts';
import {
  AssignmentChange_AssignmentAction as Action,
  AssignmentsMessage_Type as Type,
  type AssignmentsMessage,
} from '../../../../src/proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState, TaskStatus } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aSecret, aTask } from '../../../support/dispatcher-rig.ts';
import { localStore } from '../../../support/local-store.ts';

const NODES = ['n1', 'n2'];
const SECRETS = ['s1', 's2', 's3'];
const STATES = [
  TaskState.PENDING,
  TaskState.ASSIGNED,
  TaskState.ACCEPTED,
  TaskState.RUNNING,
  TaskState.COMPLETE,
  TaskState.FAILED,
];

type Step =
  | {
      readonly kind: 'create';
      readonly id: number;
      readonly node: number;
      readonly state: number;
      readonly secrets: readonly number[];
    }
  | { readonly kind: 'advance'; readonly id: number; readonly by: number }
  | { readonly kind: 'shutdown'; readonly id: number }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'secret'; readonly secret: number }
  | { readonly kind: 'read'; readonly ms: number };

const taskNumber = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('create' as const),
    id: taskNumber,
    node: fc.nat(1),
    state: fc.nat(STATES.length - 1),
    secrets: fc.subarray([0, 1, 2]),
  }),
  fc.record({ kind: fc.constant('advance' as const), id: taskNumber, by: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('shutdown' as const), id: taskNumber }),
  fc.record({ kind: fc.constant('delete' as const), id: taskNumber }),
  fc.record({ kind: fc.constant('secret' as const), secret: fc.nat(2) }),
  fc.record({ kind: fc.constant('read' as const), ms: fc.nat(8) }),
);

/** What one agent makes of its messages. */
class Replica {
  readonly tasks = new Map<string, Task>();
  readonly secrets = new Set<string>();
  readonly faults: string[] = [];
  #sequence = '';
  #isFirst = true;

  apply(message: AssignmentsMessage): void {
    if (message.appliesTo !== this.#sequence) this.faults.push('gap');
    if ((message.type === Type.COMPLETE) !== this.#isFirst) this.faults.push('type');
    if (!this.#isFirst && (message.changes.length === 0 || message.changes.length > 5)) this.faults.push('size');
    this.#isFirst = false;
    this.#sequence = message.resultsIn;
    for (const { assignment, action } of message.changes) {
      const item = assignment?.item;
      if (item?.$case === 'task') {
        if (action === Action.REMOVE) {
          if (!this.tasks.delete(item.value.id)) this.faults.push('removed an unknown task');
        } else this.tasks.set(item.value.id, item.value);
      } else if (item?.$case === 'secret') {
        if (action === Action.REMOVE) {
          if (!this.secrets.delete(item.value.id)) this.faults.push('removed an unknown secret');
        } else this.secrets.add(item.value.id);
      }
    }
  }
}

const stateOf = (task: Task): TaskState => task.status?.state ?? 0;
const secretsOf = (task: Task): readonly string[] =>
  task.spec?.runtime?.$case === 'container' ? task.spec.runtime.value.secrets.map((s) => s.secretId) : [];
/** Without what only the agent itself knows better. */
const wantedOf = (task: Task): Uint8Array => Task.encode({ ...task, status: undefined, meta: undefined }).finish();

/** What is wrong with what the agent holds, compared with the store. */
function differences(reader: Reader, nodeId: string, replica: Replica): readonly string[] {
  const wrong = [...replica.faults];
  const wanted = reader.task.by('node', nodeId).filter((task) => stateOf(task) >= TaskState.ASSIGNED);
  const secrets = new Set<string>();
  for (const task of wanted) {
    const held = replica.tasks.get(task.id);
    if (!held || Buffer.compare(wantedOf(held), wantedOf(task)) !== 0) wrong.push(`task ${task.id}`);
    if (stateOf(task) > TaskState.RUNNING) continue;
    for (const id of secretsOf(task)) if (reader.secret.get(id)) secrets.add(id);
  }
  for (const id of replica.tasks.keys()) if (!wanted.some((task) => task.id === id)) wrong.push(`extra task ${id}`);
  for (const id of secrets) if (!replica.secrets.has(id)) wrong.push(`secret ${id}`);
  for (const id of replica.secrets) if (!secrets.has(id)) wrong.push(`extra secret ${id}`);
  return wrong;
}

describe('the messages of an assignment stream', () => {
  it('always leave the agent with exactly what the store wants on its node', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(40), async (steps, openAt) => {
        const clock = new FakeClock();
        const { store } = localStore(clock);
        await store.update((tx) => tx.secret.create(aSecret('s1')));
        const hub = new AssignmentHub(store.read, clock, 5);
        const gone = new AbortController();
        const watch = store.watch({ signal: gone.signal });
        const following = (async () => {
          for await (const commits of watch) for (const { changes } of commits) changes.forEach((c) => hub.route(c));
        })();
        const replicas = new Map<string, Replica>();
        let reading: readonly Promise<void>[] = [];
        const open = (): void => {
          reading = NODES.map(async (nodeId) => {
            const replica = new Replica();
            replicas.set(nodeId, replica);
            const stream = new ServerStream(gone.signal);
            const feed = new AssignmentFeed({ nodeId: nodeId, wantsPeers: false }, stream, store.read, {
              batch: 2,
              backlog: 1_000,
            });
            hub.add(feed);
            for await (const message of assignmentMessages(feed)) replica.apply(message);
          });
        };
        for (const [index, next] of steps.entries()) {
          if (index === openAt) open();
          await play(next);
        }
        if (openAt >= steps.length) open();
        await clock.advance(50);
        for (const nodeId of NODES)
          expect(differences(store.read, nodeId, replicas.get(nodeId) as Replica)).toEqual([]);
        gone.abort();
        await Promise.all([following, ...reading]);

        async function play(next: Step): Promise<void> {
          if (next.kind === 'read') return clock.advance(next.ms);
          // Not awaited: changes may come faster than they are read.
          void store.update((tx) => {
            if (next.kind === 'secret') {
              const id = SECRETS[next.secret] as string;
              const isUsed = tx.task.by('secret', id).some((task) => stateOf(task) <= TaskState.RUNNING);
              if (!tx.secret.get(id)) tx.secret.create(aSecret(id));
              else if (!isUsed) tx.secret.delete(id);
              return;
            }
            const id = `t${next.id}`;
            const task = tx.task.get(id);
            if (next.kind === 'create') {
              if (task) return;
              const secrets = next.secrets.map((n) => SECRETS[n] as string);
              const state = STATES[next.state];
              tx.task.create(
                aTask(id, NODES[next.node] as string, { secrets, ...(state === undefined ? {} : { state }) }),
              );
            } else if (!task) {
              return;
            } else if (next.kind === 'delete') {
              tx.task.delete(id);
            } else if (next.kind === 'shutdown') {
              tx.task.update({ ...task, desiredState: TaskState.SHUTDOWN });
            } else if (next.kind === 'advance') {
              const at = STATES.indexOf(stateOf(task) as (typeof STATES)[number]);
              const state = STATES[Math.min(STATES.length - 1, at + next.by)] ?? TaskState.FAILED;
              tx.task.update({ ...task, status: TaskStatus.fromPartial({ ...task.status, state }) });
            }
          });
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** What a world shows, in the words of the case files. */
import type { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { SwarmWorld } from '../../support/swarm-world.ts';
import { allOf, expectSame, failed, passed, type CaseResult } from './case.ts';
import { nameOfState } from './orchestrator-states.ts';

type Expected = Readonly<Record<string, unknown>>;

/** A world together with the tasks it had before the event of the case. */
export interface Scene {
  readonly world: SwarmWorld;
  readonly before: readonly Task[];
  /** Changes before the event. */
  readonly since: number;
}

export const sceneOf = (world: SwarmWorld): Scene => ({ world, before: world.tasks(), since: world.changes.length });

/** Checks the members that many cases share; `own` handles what is special to a file and returns undefined for others. */
export function expectObserved(
  scene: Scene,
  expected: Expected,
  own: (member: string, value: unknown) => CaseResult | undefined = () => undefined,
): CaseResult {
  return allOf(
    ...Object.entries(expected).map(([member, value]) => own(member, value) ?? expectMember(scene, member, value)),
  );
}

function expectMember(scene: Scene, member: string, value: unknown): CaseResult {
  const { world, before } = scene;
  const created = world.created(scene.since);
  const now = (task: Task): Task | undefined => world.store.read.task.get(task.id);
  const desiredOf = (task: Task | undefined): string => (task ? nameOfState(task.desiredState) : 'deleted');
  switch (member) {
    case 'desiredRemove':
      return expectSame(idsWanted(scene, TaskState.REMOVE), [...(value as readonly string[])].sort(), member);
    case 'newTasks':
      return expectSame(created.length, value, member);
    case 'newSlots':
      return expectSame(
        created.map((task) => task.slot).sort((a, b) => a - b),
        value,
        member,
      );
    case 'uniqueSlots':
      return expectSame(new Set(created.map((task) => task.slot)).size === created.length, value, member);
    case 'state':
      return expectSame([...new Set(created.map((task) => nameOfState(task.status?.state ?? 0)))], [value], member);
    case 'newDesired':
      return expectSame([...new Set(created.map(desiredOf))], [value], member);
    case 'desired':
      return expectSame([...new Set((before.length > 0 ? before.map(now) : created).map(desiredOf))], [value], member);
    case 'new':
      return expectSame(
        created.map((task) => ({ state: nameOfState(task.status?.state ?? 0), desired: desiredOf(task) })),
        [value],
        member,
      );
    case 'oldDesired':
      return expectOldDesired(scene, value, desiredOf);
    case 'taskDeleted':
      return expectSame(
        before.every((task) => now(task) === undefined),
        value,
        member,
      );
    case 'change':
      return expectUnchanged(scene);
    default:
      return failed(`the handler does not know what to expect of ${member}`);
  }
}

function expectOldDesired(scene: Scene, value: unknown, desiredOf: (task: Task | undefined) => string): CaseResult {
  const { world, before } = scene;
  const desired = (tasks: readonly Task[]): readonly string[] => [
    ...new Set(tasks.map((task) => desiredOf(world.store.read.task.get(task.id)))),
  ];
  if (typeof value === 'string') return expectSame(desired(before), [value], 'oldDesired');
  return allOf(
    ...Object.entries(value as Readonly<Record<string, string>>).map(([nodeId, state]) =>
      expectSame(desired(before.filter((task) => task.nodeId === nodeId)), [state], `oldDesired on ${nodeId}`),
    ),
  );
}

const idsWanted = (scene: Scene, desired: TaskState): readonly string[] =>
  scene.world
    .tasks()
    .filter((task) => task.desiredState === desired)
    .map((task) => task.id)
    .sort();

/** No task was made, deleted or wanted otherwise. */
export function expectUnchanged(scene: Scene, of: (task: Task) => boolean = () => true): CaseResult {
  const changed = scene.world.changes
    .slice(scene.since)
    .filter((change) => change.kind === 'task' && of(change.object as Task));
  return changed.length === 0 ? passed : failed(`expected no change, but ${changed.length} tasks changed`);
}

/** What the pretend containers of a task do; the name of its image tells. */
import type { Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { TaskSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { TaskState } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';

const BEHAVIOURS = [
  /** Runs until it is asked to stop. */
  'steady',
  /** Fails after a while. */
  'flaky',
  /** Ends soon, three times of four well. */
  'brief',
  /** Fails as soon as it runs. */
  'failing',
  /** Cannot be had: the node refuses it. */
  'missing',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** An image whose tasks behave so; different numbers are different images. */
export const imageOf = (behaviour: Behaviour, number: number): string => `${behaviour}:${number}`;

export function behaviourOf(spec: TaskSpec | undefined): Behaviour {
  const image = spec?.runtime?.$case === 'container' ? spec.runtime.value.image : '';
  return BEHAVIOURS.find((behaviour) => image.startsWith(`${behaviour}:`)) ?? 'steady';
}

/** What a container becomes next by itself, and how long that takes on average. */
export interface Step {
  readonly state: TaskState;
  readonly meanMs: number;
}

/** The next step of a container on its way to what is wanted; undefined when it stays as it is. */
export function nextStep(task: Task, state: TaskState, wanted: TaskState): Step | undefined {
  if (state > TaskState.RUNNING) return undefined;
  if (wanted > TaskState.COMPLETE) return { state: TaskState.SHUTDOWN, meanMs: 100 };
  const behaviour = behaviourOf(task.spec);
  if (state < TaskState.READY)
    return { state: behaviour === 'missing' ? TaskState.REJECTED : TaskState.READY, meanMs: 200 };
  if (state < TaskState.RUNNING) {
    return wanted >= TaskState.RUNNING ? { state: TaskState.RUNNING, meanMs: 50 } : undefined;
  }
  switch (behaviour) {
    case 'flaky':
      return { state: TaskState.FAILED, meanMs: 15_000 };
    case 'failing':
      return { state: TaskState.FAILED, meanMs: 200 };
    case 'brief':
      return { state: endsWell(task) ? TaskState.COMPLETE : TaskState.FAILED, meanMs: 3_000 };
    default:
      return undefined;
  }
}

/** Told by the id, so that it stays the same however often it is planned. */
const endsWell = ({ id }: Task): boolean => (id.codePointAt(id.length - 1) ?? 0) % 4 !== 0;

/** How list filters name what runs a task. */
import type { TaskSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';

/** "container", "attachment", or the kind of a generic runtime. */
export function runtimeName(task: TaskSpec | undefined): string {
  const runtime = task?.runtime;
  return runtime?.$case === 'generic' ? runtime.value.kind : (runtime?.$case ?? '');
}

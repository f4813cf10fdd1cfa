/** How the modes name their slots: replicated ones by number, global ones by node. Everything else is shared. */
import type { Node, Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { enforcedConstraints, nodeSatisfies } from '../placement/constraint.ts';
import { isPaused, mayKeepTasks } from './node-fitness.ts';

export type ServiceMode = { readonly kind: 'replicated'; readonly replicas: number } | { readonly kind: 'global' };

/** Modes whose tasks shall complete instead of running on. */
export type JobMode =
  /** Slots 0 … totalCompletions − 1, each to be completed once; at most maxConcurrent of them at a time. */
  | { readonly kind: 'replicatedJob'; readonly maxConcurrent: number; readonly totalCompletions: number }
  /** One completion on each node that fits. */
  | { readonly kind: 'globalJob' };

export const isJob = (mode: ServiceMode | JobMode): mode is JobMode =>
  mode.kind === 'replicatedJob' || mode.kind === 'globalJob';

/** A service without a mode is one replica; a job that may have 0 tasks at a time has no such limit. */
export function modeOf(service: Service): ServiceMode | JobMode {
  const mode = service.spec?.mode;
  switch (mode?.$case) {
    case undefined:
      return { kind: 'replicated', replicas: 1 };
    case 'replicated':
      return { kind: 'replicated', replicas: mode.value.replicas };
    case 'global':
      return { kind: 'global' };
    case 'replicatedJob': {
      const { maxConcurrent, totalCompletions } = mode.value;
      return { kind: 'replicatedJob', totalCompletions, maxConcurrent: maxConcurrent || totalCompletions };
    }
    case 'globalJob':
      return { kind: 'globalJob' };
  }
}

/** Whether a slot is the place on a node, and not a number. */
export const namesSlotsByNode = (service: Service): boolean => {
  const mode = service.spec?.mode?.$case;
  return mode === 'global' || mode === 'globalJob';
};

/** What a node is to a global service. */
export type GlobalPlace =
  /** Gets a task. */
  | 'wanted'
  /** Keeps its task as it is; gets none and no update. */
  | 'frozen'
  /** Its task has to stop. */
  | 'unwanted'
  /** The node is gone, and its tasks with it. */
  | 'gone';

export function globalPlace(service: Service, node: Node | undefined): GlobalPlace {
  if (!node) return 'gone';
  if (!mayKeepTasks(node)) return 'unwanted';
  if (!nodeSatisfies(enforcedConstraints(service.spec?.task?.placement?.constraints), node)) return 'unwanted';
  return isPaused(node) ? 'frozen' : 'wanted';
}

/** How the modes name their slots: replicated services by number, global ones by node. Everything else is shared. */
import type { Node, Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { enforcedConstraints, nodeSatisfies } from '../placement/constraint.ts';
import { isPaused, mayKeepTasks } from './node-fitness.ts';

export type ServiceMode = { readonly kind: 'replicated'; readonly replicas: number } | { readonly kind: 'global' };

/** Undefined for modes whose slots run to completion. A service without a mode is one replica. */
export function modeOf(service: Service): ServiceMode | undefined {
  const mode = service.spec?.mode;
  switch (mode?.$case) {
    case undefined:
      return { kind: 'replicated', replicas: 1 };
    case 'replicated':
      return { kind: 'replicated', replicas: mode.value.replicas };
    case 'global':
      return { kind: 'global' };
    case 'replicatedJob':
    case 'globalJob':
      return undefined;
  }
}

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

/**
 * The use cases on this manager's own store. Reads answer from committed state; changes succeed only while this manager
 * leads. Callers on other managers come through {@link ForwardingControl}.
 */
import { clusterCalls } from './clusters.ts';
import { configCalls } from './configs.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies } from './dependencies.ts';
import { networkCalls } from './networks.ts';
import { nodeCalls } from './nodes.ts';
import { secretCalls } from './secrets.ts';
import { serviceCalls } from './services.ts';
import { taskCalls } from './tasks.ts';

export const localControl = (dependencies: ControlDependencies): ControlService => ({
  ...nodeCalls(dependencies),
  ...taskCalls(dependencies),
  ...serviceCalls(dependencies),
  ...networkCalls(dependencies),
  ...clusterCalls(dependencies),
  ...secretCalls(dependencies),
  ...configCalls(dependencies),
});

/** All bugs planted in the managers' code. */
import { NODE_MUTATIONS } from './nodes.ts';
import type { SwarmMutation } from './swarm-mutation.ts';
import { TASK_MUTATIONS } from './tasks.ts';

export const SWARM_MUTATIONS: readonly SwarmMutation[] = [...TASK_MUTATIONS, ...NODE_MUTATIONS];

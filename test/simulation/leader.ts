/** What a simulated manager does when it has become leader and its store holds everything of earlier terms. */
import type { Clock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/log.ts';
import type { Random } from '../../src/common/random.ts';
import { Allocator } from '../../src/manager/allocator/allocator.ts';
import { ingressNetwork } from '../../src/manager/control/bootstrap.ts';
import type { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import type { LeaderLoop, LeaderLoops } from '../../src/manager/leader-loops.ts';
import type { Group } from '../../src/manager/members/group.ts';
import { ManagerStatusWriter } from '../../src/manager/members/manager-status.ts';
import { RoleReconciler } from '../../src/manager/members/role-reconciler.ts';
import { ConstraintEnforcer } from '../../src/manager/orchestrator/constraint-enforcer.ts';
import { Orchestrator } from '../../src/manager/orchestrator/orchestrator.ts';
import { TaskReaper } from '../../src/manager/orchestrator/task-reaper.ts';
import { Scheduler } from '../../src/manager/scheduler/scheduler.ts';
import type { Store } from '../../src/manager/store/store.ts';
import { aCluster } from '../support/local-control.ts';

export async function lead(
  store: Store,
  loops: LeaderLoops,
  isLeader: () => boolean,
  newId: () => string,
): Promise<void> {
  try {
    if (store.read.cluster.size === 0) {
      await store.update((tx) => {
        tx.cluster.create(aCluster());
        tx.network.create(ingressNetwork(newId));
      });
    }
  } catch {
    // Leadership is lost already; whoever leads next does it.
    return;
  }
  if (isLeader()) loops.start();
}

export interface LeaderParts {
  readonly store: Store;
  readonly group: Group;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly dispatcher: Dispatcher;
}

/** As `leader-rooms.ts` puts them together, without what needs keys, logs or certificates. */
export function leaderLoops({ dispatcher, group, ...parts }: LeaderParts): readonly LeaderLoop[] {
  const { store, clock } = parts;
  const log = silentLogger;
  const options = { ...parts, log };
  const loops = {
    'manager status': new ManagerStatusWriter({ store, group, log }),
    roles: new RoleReconciler({ store, group, clock, log }),
    orchestrator: new Orchestrator(options),
    reaper: new TaskReaper(options),
    enforcer: new ConstraintEnforcer(options),
    allocator: new Allocator(options),
    scheduler: new Scheduler(options),
    dispatcher,
  };
  return Object.entries(loops).map(([name, loop]) => ({ name, run: (signal) => loop.run(signal) }));
}

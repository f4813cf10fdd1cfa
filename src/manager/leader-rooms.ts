/** The loops that only the leader runs, put together from the rooms; each call makes new ones for a new term. */
import type { Clock } from '../common/clock.ts';
import { newId } from '../common/ids.ts';
import type { Logger } from '../common/log.ts';
import { drawRandomBytes } from '../common/random-bytes.ts';
import type { Random } from '../common/random.ts';
import { x509Pki } from '../identity/pki.ts';
import { Allocator } from './allocator/allocator.ts';
import type { ExternalAuthorities } from './ca/external-authority.ts';
import { RootRotation } from './ca/root-rotation.ts';
import type { Dispatcher } from './dispatcher/dispatcher.ts';
import type { LeaderLoop } from './leader-loops.ts';
import type { LogBroker } from './logs/log-broker.ts';
import type { Group } from './members/group.ts';
import { ManagerStatusWriter } from './members/manager-status.ts';
import { RoleReconciler } from './members/role-reconciler.ts';
import { ConstraintEnforcer } from './orchestrator/constraint-enforcer.ts';
import { Orchestrator } from './orchestrator/orchestrator.ts';
import { TaskReaper } from './orchestrator/task-reaper.ts';
import { NetworkKeys } from './overlay/network-keys.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import type { Store } from './store/store.ts';

export interface LeaderRooms {
  readonly store: Store;
  readonly group: Group;
  /** Reckons what is stored; never goes back. */
  readonly clock: Clock;
  /** Certificates go by this one. */
  readonly systemClock: Clock;
  readonly random: Random;
  readonly external: ExternalAuthorities;
  readonly log: Logger;
  readonly dispatcher: Dispatcher;
  readonly logBroker: LogBroker;
}

export function leaderRooms(rooms: LeaderRooms): readonly LeaderLoop[] {
  const { store, group, clock, systemClock, random, external, dispatcher, logBroker } = rooms;
  const log = (room: string): Logger => rooms.log.child({ room });
  return [
    named('manager status', new ManagerStatusWriter({ store, group, clock, log: log('members') })),
    named('roles', new RoleReconciler({ store, group, clock, log: log('members') })),
    named('root rotation', new RootRotation({ store, clock: systemClock, pki: x509Pki, external, log: log('ca') })),
    named('orchestrator', new Orchestrator({ store, clock, random, newId, log: log('orchestrator') })),
    named('reaper', new TaskReaper({ store, clock, random, newId, log: log('reaper') })),
    named('constraint enforcer', new ConstraintEnforcer({ store, clock, random, newId, log: log('enforcer') })),
    named('allocator', new Allocator({ store, clock, log: log('allocator') })),
    named('scheduler', new Scheduler({ store, clock, random, log: log('scheduler') })),
    named('network keys', new NetworkKeys({ store, clock: systemClock, randomBytes: drawRandomBytes })),
    named('dispatcher', dispatcher),
    named('log broker', logBroker),
  ];
}

const named = (name: string, loop: { run(signal: AbortSignal): Promise<void> }): LeaderLoop => ({
  name,
  run: (signal) => loop.run(signal),
});

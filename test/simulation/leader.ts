/** What a simulated manager does when it has become leader and its store holds everything of earlier terms. */
import type { Clock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/log.ts';
import type { IdSource } from '../../src/common/ids.ts';
import type { Random } from '../../src/common/random.ts';
import { Allocator } from '../../src/manager/allocator/allocator.ts';
import { RootRotation } from '../../src/manager/ca/root-rotation.ts';
import { ingressNetwork, newCluster, newManagerNode } from '../../src/manager/control/bootstrap.ts';
import type { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import type { LeaderLoop, LeaderLoops } from '../../src/manager/leader-loops.ts';
import type { Group } from '../../src/manager/members/group.ts';
import { ManagerStatusWriter } from '../../src/manager/members/manager-status.ts';
import { RoleReconciler } from '../../src/manager/members/role-reconciler.ts';
import { ConstraintEnforcer } from '../../src/manager/orchestrator/constraint-enforcer.ts';
import { Orchestrator } from '../../src/manager/orchestrator/orchestrator.ts';
import { TaskReaper } from '../../src/manager/orchestrator/task-reaper.ts';
import { NetworkKeys } from '../../src/manager/overlay/network-keys.ts';
import { Scheduler } from '../../src/manager/scheduler/scheduler.ts';
import type { Store } from '../../src/manager/store/store.ts';
import type { Pki } from '../../src/identity/pki.ts';
import type { Cluster, Node } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import type { SimulatedIdentity } from './identity.ts';
import { noAuthorities } from './no-authorities.ts';

/** The first objects of a swarm. */
export interface Foundation {
  readonly cluster: Cluster;
  readonly node: Node;
}

/** Makes a swarm's root, and its first manager's certificate. */
export async function found(pki: Pki, identity: SimulatedIdentity, nowMs: number): Promise<Foundation> {
  const clusterId = 'cluster';
  const nodeId = 'founder';
  const root = await pki.createRootCa(nowMs);
  const cluster = newCluster({
    clusterId,
    nowMs,
    root,
    joinTokens: { worker: pki.newJoinToken(root.certificate), manager: pki.newJoinToken(root.certificate) },
    newUnlockKey: () => Buffer.alloc(32, 1),
    randomBytes: (count) => Buffer.alloc(count, 5),
  });
  const csr = 'request of the founder';
  const subject = { nodeId, role: 'manager', clusterId } as const;
  const certificate = await pki.signNodeCertificate(csr, subject, root, { nowMs, lifeMs: 0 });
  identity.replace(certificate, root.certificate);
  return {
    cluster,
    node: newManagerNode({ nodeId, certificate, csr, availability: NodeSpec_Availability.DRAIN }),
  };
}

export interface Lead {
  readonly store: Store;
  readonly loops: LeaderLoops;
  readonly foundation: Foundation | undefined;
  readonly newId: IdSource;
  readonly isLeader: () => boolean;
}

export async function lead({ store, loops, foundation, newId, isLeader }: Lead): Promise<void> {
  try {
    if (foundation && store.read.cluster.size === 0) {
      await store.update((tx) => {
        tx.cluster.create(foundation.cluster);
        tx.node.create(foundation.node);
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
  readonly newId: IdSource;
  readonly pki: Pki;
  readonly dispatcher: Dispatcher;
}

/** As `leader-rooms.ts` puts them together, without the broker of logs. */
export function leaderLoops({ dispatcher, group, pki, ...parts }: LeaderParts): readonly LeaderLoop[] {
  const { store, clock } = parts;
  const log = silentLogger;
  const options = { ...parts, log };
  const loops = {
    'manager status': new ManagerStatusWriter({ store, group, clock, log }),
    roles: new RoleReconciler({ store, group, clock, log }),
    'root rotation': new RootRotation({ store, clock, pki, external: noAuthorities, log }),
    orchestrator: new Orchestrator(options),
    reaper: new TaskReaper(options),
    enforcer: new ConstraintEnforcer(options),
    allocator: new Allocator(options),
    scheduler: new Scheduler(options),
    'network keys': new NetworkKeys({ store, clock, randomBytes: (count) => Buffer.alloc(count, 6) }),
    dispatcher,
  };
  return Object.entries(loops).map(([name, loop]) => ({ name, run: (signal) => loop.run(signal) }));
}

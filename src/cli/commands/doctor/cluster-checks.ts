/** Judges what the swarm tells of itself; pure. */
import { VERSION } from '../../../common/version.ts';
import { hostnameOf, type InfoObject, type NodeObject, type TaskObject } from '../../types.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

export interface MembersObject {
  readonly leaderId: string;
  readonly members: readonly {
    readonly nodeId: string;
    readonly addr: string;
    readonly isLeader: boolean;
    readonly isReachable: boolean;
  }[];
}

export function checkMembership({ Swarm }: InfoObject): Finding {
  switch (Swarm.LocalNodeState) {
    case 'active':
      if (Swarm.Error) return fail('membership', Swarm.Error, 'see the log of the daemon');
      return ok('membership', `this node is a ${Swarm.ControlAvailable ? 'manager' : 'worker'} of the swarm`);
    case 'locked':
      return fail('membership', 'this manager is locked', 'unlock it with "swarmctl swarm unlock"');
    case 'inactive':
      return fail('membership', 'this node is in no swarm', 'run "swarmctl swarm init" or "swarmctl swarm join"');
    case 'pending':
      return warn('membership', 'this node is still joining', 'wait a moment; else see the log of the daemon');
    default:
      return fail('membership', `${Swarm.LocalNodeState}: ${Swarm.Error}`, 'see the log of the daemon');
  }
}

export function checkVersion({ ServerVersion }: InfoObject): Finding {
  if (ServerVersion === VERSION) return ok('version', `daemon and swarmctl are both ${VERSION}`);
  return warn('version', `the daemon is ${ServerVersion}, swarmctl is ${VERSION}`, 'use the same version of both');
}

export function checkQuorum({ leaderId, members }: MembersObject): readonly Finding[] {
  const away = members.filter((member) => !member.isReachable && !member.isLeader);
  const there = members.length - away.length;
  const needed = Math.floor(members.length / 2) + 1;
  const counts = `${there} of ${members.length} managers reachable, ${needed} needed`;
  if (leaderId === '') {
    return [
      fail(
        'quorum',
        `there is no leader (${counts})`,
        'start the managers that are down, or see "swarm init --force-new-cluster"',
      ),
    ];
  }
  const names = away.map((member) => member.addr).join(', ');
  const quorum =
    away.length === 0
      ? ok('quorum', counts)
      : there === needed
        ? fail('quorum', `${counts}; away: ${names}`, 'start them: the loss of one more stops all changes')
        : warn('quorum', `${counts}; away: ${names}`, 'start them, or remove them with "swarmctl node rm"');
  const spare = members.length - needed;
  const number =
    members.length === 2
      ? warn('managers', 'with two managers the loss of either stops all changes', 'add a third, or demote one')
      : members.length % 2 === 0
        ? warn(
            'managers',
            `${members.length} managers stand the loss of no more than ${spare}`,
            'an odd number is better',
          )
        : ok(
            'managers',
            members.length === 1 ? 'one manager: its loss stops all changes' : `stands the loss of ${spare}`,
          );
  return [quorum, number];
}

export function checkNodes(nodes: readonly NodeObject[]): readonly Finding[] {
  const down = nodes.filter((node) => node.Status.State !== 'ready');
  const versions = new Set(nodes.map((node) => node.Description?.Engine?.EngineVersion ?? ''));
  return [
    down.length === 0
      ? ok('nodes', `${nodes.length} of ${nodes.length} nodes are ready`)
      : warn(
          'nodes',
          `${down.map((node) => `${hostnameOf(node) || node.ID} is ${node.Status.State}`).join(', ')}`,
          'start their daemons, or remove them with "swarmctl node rm"',
        ),
    versions.size <= 1
      ? ok('node versions', 'all nodes run the same version')
      : warn('node versions', `the nodes run ${[...versions].sort().join(', ')}`, 'bring them to one version'),
  ];
}

/** Clocks further apart than this are worth a word; certificates and restart delays suffer later. */
const SKEW_MS = 2_000;

/** The daemon's clock against this machine's; the answer came some time between `beforeMs` and `afterMs`. */
export function checkClock(systemTime: string, beforeMs: number, afterMs: number): Finding {
  const theirs = Date.parse(systemTime);
  const aheadMs = theirs > afterMs ? theirs - afterMs : theirs < beforeMs ? theirs - beforeMs : 0;
  if (Math.abs(aheadMs) <= SKEW_MS) return ok('clock', 'the clocks of the daemon and of this machine agree');
  return warn(
    'clock',
    `the daemon's clock is ${apart(aheadMs)} of this machine's`,
    'run a time service (chrony, systemd-timesyncd) on both',
  );
}

/**
 * Clocks of the nodes against the managers', read off the newest reports of their tasks: the node says when a task began to
 * run, the manager when it heard of it. A node that is ahead tells of the future.
 */
export function checkNodeClocks(nodes: readonly NodeObject[], tasks: readonly TaskObject[]): Finding {
  const behindMs = new Map<string, number>();
  for (const { NodeID, Status, UpdatedAt } of tasks) {
    if (!NodeID || Status.State !== 'running') continue;
    const lagMs = Date.parse(UpdatedAt) - Date.parse(Status.Timestamp);
    behindMs.set(NodeID, Math.min(behindMs.get(NodeID) ?? Infinity, lagMs));
  }
  if (behindMs.size === 0) return ok('node clocks', 'no task runs, so there is nothing to compare');
  const ahead = nodes.flatMap((node) => {
    const lagMs = behindMs.get(node.ID) ?? 0;
    return lagMs < -SKEW_MS ? [`${hostnameOf(node) || node.ID} ${apart(-lagMs)}`] : [];
  });
  if (ahead.length === 0) return ok('node clocks', `no clock of ${behindMs.size} nodes is ahead of the managers'`);
  return warn(
    'node clocks',
    `clocks differ from the managers': ${ahead.join(', ')}`,
    'run a time service on all nodes',
  );
}

const apart = (ms: number): string => `${(Math.abs(ms) / 1000).toFixed(1)} s ${ms > 0 ? 'ahead' : 'behind'}`;

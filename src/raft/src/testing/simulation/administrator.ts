/** Changes of membership: random ones of every kind, and the repair of a group with a member whose disk is lost. */
import { ConfChangeTransition, ConfChangeType } from '../../types.ts';
import type { ConfChangeSingle, ConfState, PeerId } from '../../types.ts';
import type { SeededRandom } from '../random.ts';
import { LEAVE_JOINT } from '../../membership/conf-change.ts';
import { EMPTY_CONF_STATE } from '../../storage.ts';
import { describeConfiguration } from '../../membership/draft.ts';
import type { SimulatedNode } from './node.ts';
import type { Plan } from './plan.ts';

export interface Administered {
  readonly plan: Plan;
  readonly nodes: readonly SimulatedNode[];
  readonly leader: () => SimulatedNode | undefined;
  /** Starts a process that belongs to no group yet. */
  readonly addNode: () => SimulatedNode;
}

const NO_CONTEXT = new Uint8Array(0);
const RANDOM_TYPES = [
  ConfChangeType.AddNode,
  ConfChangeType.AddNode,
  ConfChangeType.AddLearnerNode,
  ConfChangeType.RemoveNode,
  ConfChangeType.UpdateNode,
];

/** One to three random changes with a random transition, or leaving a joint configuration. */
export function changeAtRandom(group: Administered, random: SeededRandom): void {
  const leader = group.leader();
  const transition = random.pick(Object.values(ConfChangeTransition));
  const isLeaving = random.chance(0.2);
  const count = 1 + random.below(3);
  if (leader?.core === undefined) return;
  if (isLeaving) {
    leader.act((core) => void core.proposeConfChange(LEAVE_JOINT));
    return;
  }
  const { confState } = leader.core;
  const changes = Array.from({ length: count }, () => randomChange(group, confState, random));
  leader.act((core) => void core.proposeConfChange({ transition, changes, context: NO_CONTEXT }));
}

/** The usual order of work: a learner, which is promoted in exchange for a voter, in one joint step. */
export function replaceOne(group: Administered, random: SeededRandom): void {
  const leader = group.leader();
  const config = leader?.core?.confState;
  if (leader === undefined || config === undefined) return;
  const learner = config.learners[0];
  if (learner !== undefined) {
    const leaving = random.pick(config.voters);
    change(leader, [
      { type: ConfChangeType.AddNode, nodeId: learner },
      { type: ConfChangeType.RemoveNode, nodeId: leaving },
    ]);
  } else if (group.nodes.length < group.plan.maxNodes) {
    change(leader, [{ type: ConfChangeType.AddLearnerNode, nodeId: group.addNode().id }]);
  }
}

/**
 * What the users of raft-ts owe it: leadership taken from a leader that was removed and did not step down, joint configurations left that do
 * not end by themselves, and voters that will never come back replaced by new nodes with ids of their own.
 */
export function repair(group: Administered): void {
  const leader = group.leader();
  const config = leader?.core?.confState;
  if (leader?.core === undefined || config === undefined) return;
  if (!config.voters.includes(leader.id) && !config.votersOutgoing.includes(leader.id)) {
    const successor = group.nodes.find(({ id, isRunning }) => isRunning && config.voters.includes(id));
    if (successor !== undefined) leader.act((core) => core.transferLeader(successor.id));
    return;
  }
  if (config.votersOutgoing.length > 0) {
    if (!config.autoLeave) leader.act((core) => void core.proposeConfChange(LEAVE_JOINT));
    return;
  }
  const lost = group.nodes.find(({ id, status }) => status === 'halted' && config.voters.includes(id));
  if (lost === undefined) return;
  const spare = group.nodes.find(({ id, isRunning }) => isRunning && config.learners.includes(id));
  if (spare !== undefined) {
    change(leader, [
      { type: ConfChangeType.AddNode, nodeId: spare.id },
      { type: ConfChangeType.RemoveNode, nodeId: lost.id },
    ]);
  } else if (group.nodes.length < group.plan.maxNodes) {
    change(leader, [{ type: ConfChangeType.AddLearnerNode, nodeId: group.addNode().id }]);
  }
}

/**
 * Ends the processes of members that were removed and do not know it: where neither pre-votes nor leases keep them off, they disturb the
 * others for ever (Ongaro 2014, section 4.2.3), and who uses raft-ts has to end them.
 */
export function endRemoved(group: Administered): void {
  const leader = group.leader();
  const raft = leader?.core?.inside;
  if (isKeptOff(group.plan) || leader === undefined || raft === undefined) return;
  const { config } = raft.tracker;
  // Only a leader that knows all there is says who is a member: none from an earlier term, none that was removed itself.
  const isLast = group.nodes.every(({ applied }) => applied <= leader.applied);
  if (!isLast || raft.log.term(leader.applied) !== raft.term || !isMember(config, leader.id)) return;
  for (const node of group.nodes) {
    if (!node.isRunning || isMember(config, node.id) || isFresh(node)) continue;
    node.isGone = true;
    node.crash();
  }
}

/** A voter that may be lost for ever without harm: no change is under way, and the others still have a majority. */
export function expendableVoter(group: Administered, random: SeededRandom): SimulatedNode | undefined {
  const config = settledConfiguration(group);
  if (config === undefined || group.nodes.length >= group.plan.maxNodes) return undefined;
  const voters = group.nodes.filter(({ id }) => config.voters.includes(id));
  const lost = voters.filter(({ status, isDamaged }) => status === 'halted' || isDamaged).length;
  if (lost + 1 > Math.floor((config.voters.length - 1) / 2)) return undefined;
  const candidates = voters.filter(({ status, isDamaged }) => status !== 'halted' && !isDamaged);
  return random.pick(candidates);
}

/** The configuration all processes know, if it is not joint and no change waits; else undefined. */
export function settledConfiguration({ nodes, leader }: Administered): ConfState | undefined {
  const raft = leader()?.core?.inside;
  if (raft === undefined || raft.pendingConfIndex > raft.log.applied || raft.tracker.isJoint()) return undefined;
  const { config } = raft.tracker;
  const text = describeConfiguration(config);
  const isKnown = nodes.every(
    ({ id, core }) => core === undefined || !isMember(config, id) || describeConfiguration(core.confState) === text,
  );
  return isKnown ? config : undefined;
}

function randomChange(group: Administered, config: ConfState, random: SeededRandom): ConfChangeSingle {
  const type = random.pick(RANDOM_TYPES);
  const isNew = random.chance(0.4);
  const old = random.pick(group.nodes);
  const mayAdd = type === ConfChangeType.AddNode || type === ConfChangeType.AddLearnerNode;
  if (mayAdd && isNew && group.nodes.length < group.plan.maxNodes) return { type, nodeId: group.addNode().id };
  // Nobody may come back under the id of a removed member. Where removed members are kept off, even that does no harm.
  const comesBack = mayAdd && !isMember(config, old.id) && !isFresh(old);
  return { type: comesBack && !isKeptOff(group.plan) ? ConfChangeType.UpdateNode : type, nodeId: old.id };
}

/** Whether pre-votes or leases keep those off who were removed and do not know it. */
function isKeptOff({ raft }: Plan): boolean {
  return raft.preVote === true || raft.checkQuorum === true;
}

function isMember(config: ConfState, id: PeerId): boolean {
  return [config.voters, config.votersOutgoing, config.learners, config.learnersNext].some((ids) => ids.includes(id));
}

/** It has never been told of a group. */
function isFresh({ core }: SimulatedNode): boolean {
  return core !== undefined && describeConfiguration(core.confState) === describeConfiguration(EMPTY_CONF_STATE);
}

function change(leader: SimulatedNode, changes: readonly ConfChangeSingle[]): void {
  const transition = ConfChangeTransition.Auto;
  leader.act((core) => void core.proposeConfChange({ transition, changes, context: NO_CONTEXT }));
}

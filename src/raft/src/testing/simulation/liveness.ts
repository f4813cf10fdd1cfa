/**
 * The end of every run: faults stop for a quorum, some nodes stay broken, and within bounded time the rest must work again. Then nothing may
 * disturb it any more, not even a node that was away and comes back.
 */
import type { SeededRandom } from '../random.ts';
import { endRemoved, repair, settledConfiguration } from './administrator.ts';
import type { Clients } from './clients.ts';
import { SafetyViolation } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { Nemesis, Theatre } from './nemesis.ts';
import type { SimulatedNode } from './node.ts';
import { ELECTION } from './plan.ts';
import type { Plan } from './plan.ts';

/** Elections that may be needed, and time, until the group works again. */
const ELECTIONS = 60;
const PATIENCE = 150 * ELECTION;
const CALM = 5 * ELECTION;

export interface Recovering {
  readonly plan: Plan;
  readonly theatre: Theatre;
  readonly nemesis: Nemesis;
  readonly clients: Clients;
  readonly ledger: Ledger;
  /** Runs until the condition holds or the time is over; whether it held. */
  readonly runUntil: (patience: number, condition: () => boolean) => boolean;
}

/** Throws a SafetyViolation if the group does not recover, or does not stay calm. */
export function checkLiveness(group: Recovering, random: SeededRandom): void {
  const { nemesis, theatre } = group;
  nemesis.end();
  const broken = new Set(mayStayBroken(theatre, random));
  theatre.trace(() => `faults end; broken for good: ${[...broken].map(({ id }) => id).join(' ')}`);
  theatre.network.heal();
  theatre.network.isCalm = true;
  for (const node of theatre.nodes) heal(node, broken.has(node));
  const isHealthy = (node: SimulatedNode): boolean => node.status !== 'halted' && !broken.has(node);
  recover(group, isHealthy);
  stayCalm(group, isHealthy);
}

function recover(group: Recovering, isHealthy: (node: SimulatedNode) => boolean): void {
  const { theatre, clients, ledger, runUntil } = group;
  const begin = clients.moment;
  const termBefore = highestTerm(theatre);
  let target: number | undefined;
  const isDone = runUntil(PATIENCE, () => {
    endRemoved(theatre);
    repair(theatre);
    if (clients.latestWrite <= begin) return false;
    target ??= ledger.lastIndex;
    const least = target;
    const config = theatre.leader()?.core?.confState;
    if (config === undefined || config.votersOutgoing.length > 0) return false;
    const members = theatre.nodes.filter(({ id }) => config.voters.includes(id) || config.learners.includes(id));
    return members.every((node) => !isHealthy(node) || node.applied >= least);
  });
  if (!isDone) throw new SafetyViolation(`the group does not recover:\n${describe(theatre, ledger)}`);
  const elections = highestTerm(theatre) - termBefore;
  if (elections > ELECTIONS) throw new SafetyViolation(`it took ${elections} elections until the group worked again`);
}

function stayCalm(group: Recovering, isHealthy: (node: SimulatedNode) => boolean): void {
  const { plan, theatre, runUntil } = group;
  const { network, nodes } = theatre;
  const leader = theatre.leader();
  const config = settledConfiguration(theatre);
  if (leader === undefined || config === undefined) return;
  // Learners, and nodes that were removed and do not know it, must not disturb either.
  runUntil(CALM, () => false);
  const term = highestTerm(theatre);
  const follower = nodes.find(
    (node) => node !== theatre.leader() && isHealthy(node) && config.voters.includes(node.id),
  );
  const stays = plan.raft.preVote === true && plan.raft.checkQuorum === true;
  const mayLeave = follower !== undefined && stays && hasQuorumWithout(group, follower, isHealthy);
  if (mayLeave) {
    for (const { id } of nodes) {
      network.setCut(id, follower.id, true);
      network.setCut(follower.id, id, true);
    }
  }
  runUntil(CALM, () => false);
  network.heal();
  runUntil(CALM, () => false);
  const after = highestTerm(theatre);
  if (after !== term && stays && !plan.faults.has('drift'))
    throw new SafetyViolation(`the group elects again (term ${term} to ${after}) though its leader works`);
}

function hasQuorumWithout(
  group: Recovering,
  away: SimulatedNode,
  isHealthy: (node: SimulatedNode) => boolean,
): boolean {
  const voters = group.theatre.leader()?.core?.confState.voters ?? [];
  const left = group.theatre.nodes.filter((node) => node !== away && isHealthy(node) && voters.includes(node.id));
  return left.length > voters.length / 2;
}

/** Nodes the group must do without: fewer than half of the voters, or none if it is not certain who votes. */
function mayStayBroken(theatre: Theatre, random: SeededRandom): SimulatedNode[] {
  const isAny = random.chance(0.5);
  const config = settledConfiguration(theatre);
  if (config === undefined || !isAny) return [];
  if (theatre.nodes.some(({ status }) => status === 'down')) return [];
  const voters = theatre.nodes.filter(({ id }) => config.voters.includes(id));
  const lost = voters.filter(({ status }) => status === 'halted').length;
  let spare = Math.floor((config.voters.length - 1) / 2) - lost;
  return voters.filter((node) => node.isRunning && random.chance(0.5) && spare-- > 0);
}

function heal(node: SimulatedNode, isBroken: boolean): void {
  node.resume();
  node.isDiskFull = false;
  node.isSyncFailing = false;
  node.crashAfterWrite = undefined;
  node.isGone = isBroken;
  if (isBroken) node.crash();
  else if (node.status === 'down') node.start();
  else if (node.isRunning) node.settle();
}

function highestTerm({ nodes }: Theatre): number {
  return Math.max(...nodes.map(({ core }) => core?.term ?? 0));
}

function describe({ nodes }: Theatre, ledger: Ledger): string {
  const lines = nodes.map(({ id, status, core, applied }) => {
    if (core === undefined) return `  node ${id}: ${status}`;
    const { role, term, leader, commitIndex, lastIndex, confState } = core;
    const places = `commit ${commitIndex}, last ${lastIndex}, applied ${applied}`;
    const peers = core.status().peers.map((peer) => `\n    ${JSON.stringify(peer)}`);
    return `  node ${id}: ${role} in term ${term} of ${leader}, ${places}, ${JSON.stringify(confState)}${peers.join('')}`;
  });
  return [`  applied anywhere: ${ledger.lastIndex}`, ...lines].join('\n');
}

/** One round of decisions: what can be decided now about the tasks that are ready, at most so many at a time. */
import type { Random } from '../../common/random.ts';
import type { Reader } from '../store/transaction.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Decision } from './decision.ts';
import { explainTally, gainsAwaited, noSuitableNode } from './filters/pipeline.ts';
import type { PendingGroup, PendingTasks } from './pending-tasks.ts';
import { nodesFor } from './place.ts';
import { strategyFor } from './strategy-choice.ts';

export interface RoundInput {
  readonly view: ClusterView;
  readonly pending: PendingTasks;
  readonly reader: Pick<Reader, 'service' | 'cluster'>;
  /** Wall-clock time in ms. */
  readonly nowMs: number;
  readonly random: Random;
  /** Most tasks to place in this round. */
  readonly limit: number;
}

/** Decides, reserving in the view what it gives away. Tasks whose node is given come first, then groups in turn. */
export function decideRound(input: RoundInput): readonly Decision[] {
  const decisions: Decision[] = input.pending.takeUnwanted().map((task) => ({ kind: 'end', task }));
  confirmPreassigned(input, decisions);
  const ready = input.pending.ready();
  // A large group must not make the small ones behind it wait for all of its tasks.
  const share = Math.max(MIN_SHARE, Math.floor(input.limit / Math.max(1, ready.length)));
  let nodesLookedAt = 0;
  for (const pending of ready) {
    if (decisions.length >= input.limit || nodesLookedAt >= LOOK_LIMIT) break;
    if (placeGroup(input, pending, Math.min(share, input.limit - decisions.length), decisions)) continue;
    giveReason(input, pending, decisions);
    nodesLookedAt += input.view.nodes.size;
  }
  return decisions;
}

/** Smallest number of tasks a group may place in its turn, since each turn looks at all nodes once. */
const MIN_SHARE = 100;
/** Nodes a round may look at for groups that find none, since every one of these looks at all. */
const LOOK_LIMIT = 300_000;

function confirmPreassigned({ view, pending, limit }: RoundInput, decisions: Decision[]): void {
  for (const { task, pending: of } of pending.takePreassigned(limit)) {
    const info = view.nodes.get(task.nodeId);
    // The node is gone; the orchestrator will end the task.
    if (!info?.node) continue;
    if (of.pipeline.passes(info)) {
      pending.remove(task.id);
      decisions.push({ kind: 'assign', task, node: info.node, hold: view.reserve(task, of.group, info, true) });
    } else {
      wait(decisions, task, explainTally(of.pipeline.tally([info])));
    }
  }
}

/** Places up to `limit` tasks of a group; returns false when there are some left for which no node fits. */
function placeGroup(input: RoundInput, pending: PendingGroup, limit: number, decisions: Decision[]): boolean {
  const { view, reader, nowMs, random } = input;
  const { group, pipeline, free } = pending;
  const strategy = strategyFor(reader, reader.service.get(group.serviceId));
  const picker = nodesFor({ source: view, group, pipeline, strategy, nowMs, random });
  let placed = 0;
  for (const task of free.values()) {
    if (placed === limit) {
      input.pending.yield(pending);
      return true;
    }
    const info = picker.pick();
    if (!info?.node) return false;
    decisions.push({ kind: 'assign', task, node: info.node, hold: view.reserve(task, group, info) });
    input.pending.remove(task.id);
    placed++;
  }
  return true;
}

/** No node fits the rest of the group: says why on each task and lets it wait for what may help. */
function giveReason(input: RoundInput, pending: PendingGroup, decisions: Decision[]): void {
  const { group, pipeline, free } = pending;
  if (group.serviceId !== '' && !input.reader.service.get(group.serviceId)) {
    for (const id of free.keys()) input.pending.remove(id);
    return;
  }
  const tally = pipeline.tally(input.view.nodes.values());
  const reason = noSuitableNode(tally);
  for (const task of free.values()) wait(decisions, task, reason);
  input.pending.park(pending, gainsAwaited(tally));
}

function wait(decisions: Decision[], task: Decision['task'], reason: string): void {
  if (task.status?.err !== reason) decisions.push({ kind: 'wait', task, reason });
}

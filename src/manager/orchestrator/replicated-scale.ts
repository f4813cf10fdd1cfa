/** Which slots a replicated service gains and loses. */
import type { Service, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { isHeld, isLive, updatableTasks, type Slot } from './slots.ts';
import { isRunning, isWanted } from './task-life.ts';

export interface ScaleDecision {
  /** Slot numbers to fill. */
  readonly create: readonly number[];
  /** Slots that keep their place. */
  readonly keep: readonly Slot[];
  /** Tasks that have to go: the live ones of surplus slots, and all of dead ones that nothing will fill. */
  readonly remove: readonly Task[];
}

/** Fills the lowest free numbers from 1; gives up unassigned slots first, then those not running, then the higher ones on crowded nodes. */
export function decideScale(service: Service, slots: Iterable<Slot>, replicas: number): ScaleDecision {
  const occupied: Slot[] = [];
  const free: Slot[] = [];
  for (const slot of slots) (isLive(slot) || isHeld(slot, service) ? occupied : free).push(slot);
  if (occupied.length > replicas) {
    const ranked = rankToKeep(occupied);
    const surplus = ranked.slice(replicas).flatMap((slot) => givenUp(service, slot));
    return { create: [], keep: ranked.slice(0, replicas), remove: [...surplus, ...leftOver(free, [])] };
  }
  const create = lowestFree(occupied, replicas - occupied.length);
  return { create, keep: occupied, remove: leftOver(free, create) };
}

function lowestFree(occupied: readonly Slot[], count: number): readonly number[] {
  const taken = new Set(occupied.map((slot) => slot.number));
  const numbers: number[] = [];
  for (let number = 1; numbers.length < count; number++) if (!taken.has(number)) numbers.push(number);
  return numbers;
}

/**
 * What goes of a surplus slot. Its history stays to be looked at until the service is changed again, as in Docker, unless
 * it would make the slot look as if it had ended for good, and be counted.
 */
function givenUp(service: Service, slot: Slot): readonly Task[] {
  const going = updatableTasks(slot, service);
  const history = slot.tasks.filter((task) => !going.includes(task));
  return isHeld({ ...slot, tasks: history }, service) ? slot.tasks : going;
}

/** Tasks of dead slots that are not filled again. */
function leftOver(free: readonly Slot[], refilled: readonly number[]): readonly Task[] {
  const kept = new Set(refilled);
  return free
    .filter(({ number }) => !kept.has(number))
    .flatMap(({ tasks }) => tasks.filter((task) => task.desiredState < TaskState.REMOVE));
}

/** Slots in order of worth: each node's first slots before anyone's second ones; what has no single placed task comes last. */
function rankToKeep(slots: readonly Slot[]): readonly Slot[] {
  const runningFirst = slots
    .map((slot) => ({ slot, isRunning: slot.tasks.some((task) => isWanted(task) && isRunning(task)) }))
    .sort((a, b) => Number(b.isRunning) - Number(a.isRunning) || a.slot.number - b.slot.number);
  const onNode = new Map<string, number>();
  return runningFirst
    .map(({ slot }) => {
      const wanted = slot.tasks.filter(isWanted);
      const nodeId = wanted.length === 1 ? (wanted[0]?.nodeId ?? '') : '';
      if (nodeId === '') return { slot, rank: Infinity };
      const rank = (onNode.get(nodeId) ?? 0) + 1;
      onNode.set(nodeId, rank);
      return { slot, rank };
    })
    .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
    .map(({ slot }) => slot);
}

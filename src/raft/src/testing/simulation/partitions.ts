/** The ways in which a group falls apart. */
import type { PeerId } from '../../types.ts';
import type { SeededRandom } from '../random.ts';

export const PARTITIONS = [
  'halves',
  'leader-alone',
  'leader-with-friend',
  'ring',
  'bridge',
  'from-leader',
  'to-leader',
  'one-link',
  'one-way',
] as const;
export type Partition = (typeof PARTITIONS)[number];

/** The links, each with a direction, that a partition cuts. */
export function cutLinks(
  partition: Partition,
  ids: readonly PeerId[],
  leader: PeerId,
  random: SeededRandom,
): (readonly [from: PeerId, to: PeerId])[] {
  const others = ids.filter((id) => id !== leader);
  const friend = others.length === 0 ? leader : random.pick(others);
  const first = ids.filter(() => random.chance(0.5));
  const at = new Map(ids.map((id, i) => [id, i]));
  const isNeighbour = (a: PeerId, b: PeerId): boolean => {
    const distance = Math.abs((at.get(a) ?? 0) - (at.get(b) ?? 0));
    return distance <= 1 || distance === ids.length - 1;
  };
  const isCut = (from: PeerId, to: PeerId): boolean => {
    switch (partition) {
      case 'halves':
        return first.includes(from) !== first.includes(to);
      case 'leader-alone':
        return from === leader || to === leader;
      case 'leader-with-friend': {
        const isWith = (id: PeerId): boolean => id === leader || id === friend;
        return isWith(from) !== isWith(to);
      }
      case 'ring':
        return !isNeighbour(from, to);
      case 'bridge':
        return first.includes(from) !== first.includes(to) && from !== friend && to !== friend;
      case 'from-leader':
        return from === leader;
      case 'to-leader':
        return to === leader;
      case 'one-link':
        return (from === leader && to === friend) || (from === friend && to === leader);
      case 'one-way':
        return first.includes(from) && !first.includes(to);
    }
  };
  return ids.flatMap((from) => ids.filter((to) => to !== from && isCut(from, to)).map((to) => [from, to] as const));
}

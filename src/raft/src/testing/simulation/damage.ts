/** Damage to a disk at rest, of the kinds that storage shows (Bairavasundaram and others, 2008): each is one fault, and recovery must find it. */
import type { SeededRandom } from '../random.ts';
import { SECTOR_BYTES } from './disk.ts';
import type { SimulatedNode } from './node.ts';

const DAMAGES = ['flip', 'zero', 'swap', 'lost-write', 'misdirected-write', 'missing-file'] as const;

/**
 * Damages what a node has on its disk, before its last durable group: the last one alone could not be told from one that was never
 * written, if the note about how far the log was durable is lost with it. Returns what was done; undefined if there is nothing to damage.
 */
export function damageDisk(node: SimulatedNode, random: SeededRandom): string | undefined {
  const { log, disk } = node;
  const kind = random.pick(DAMAGES);
  const where = random.next();
  if (log === undefined) return undefined;
  // Without a later group in the same or the next segment nothing shows that this one was durable.
  const groups = log.groups.slice(0, -1).filter(({ file, offset }) => offset >= 0 && disk.has(file));
  const group = groups[Math.floor(where * groups.length)];
  if (group === undefined) return undefined;
  const { file, offset, bytes: size } = group;
  if (kind === 'missing-file') {
    disk.damage(file, () => undefined);
    return `${file} is missing`;
  }
  const at = offset + random.below(size);
  const bit = 1 << random.below(8);
  disk.damage(file, (old) => {
    const bytes = old.slice();
    switch (kind) {
      case 'flip':
        bytes[at] = (bytes[at] ?? 0) ^ bit;
        break;
      case 'zero': {
        const sector = Math.floor(at / SECTOR_BYTES) * SECTOR_BYTES;
        bytes.fill(0, Math.max(offset, sector), Math.min(offset + size, sector + SECTOR_BYTES));
        break;
      }
      case 'swap': {
        const half = size >> 1;
        bytes.set(old.subarray(offset, offset + half), offset + size - half);
        bytes.set(old.subarray(offset + size - half, offset + size), offset);
        break;
      }
      case 'lost-write':
        bytes.fill(0, offset, offset + size);
        break;
      case 'misdirected-write':
        bytes.fill(0, offset, offset + size);
        bytes.set(old.subarray(offset, offset + Math.min(size, offset)), offset - Math.min(size, offset));
        break;
    }
    return bytes;
  });
  return `${kind} in ${file} at ${at} (group at ${offset}, ${size} bytes)`;
}

/** Single faults of storage, done to the files of a log. */
import type { SeededRandom } from '../random.ts';

const FILE_FAULTS = ['flip', 'zero', 'truncate', 'tear', 'swap', 'missing-file', 'old-name'] as const;

/** The files of a log directory by name. */
export type Files = Map<string, Uint8Array>;

const BLOCKS = [512, 4096];
const ZEROED = [1, 8, 64, 512, 4096];

/** Does one fault to a copy; says what it did. */
export function withFault(files: Files, random: SeededRandom): { readonly files: Files; readonly text: string } {
  const damaged = new Map(files);
  const kind = random.pick(FILE_FAULTS);
  const name = pickFile(files, random);
  const bytes = (files.get(name) ?? new Uint8Array(0)).slice();
  damaged.set(name, bytes);
  const at = pickPlace(bytes, random);
  switch (kind) {
    case 'flip':
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return { files: damaged, text: `a bit of ${name} flipped at ${at}` };
    case 'zero': {
      const length = random.pick(ZEROED);
      const from = length >= 512 ? at - (at % length) : at;
      bytes.fill(0, from, from + length);
      return { files: damaged, text: `${length} bytes of ${name} zeroed at ${from}` };
    }
    case 'truncate':
      damaged.set(name, bytes.slice(0, at));
      return { files: damaged, text: `${name} cut at ${at}` };
    case 'tear': {
      // As of an interrupted write: some of the sectors from here on are as they were before it.
      const end = lastUsed(bytes);
      for (let sector = at - (at % 512); sector < end; sector += 512) {
        if (random.chance(0.5)) bytes.fill(0, Math.max(sector, at), Math.min(sector + 512, end));
      }
      return { files: damaged, text: `${name} torn from ${at} on` };
    }
    case 'swap':
      return { files: damaged, text: swap(files, damaged, name, at, random) };
    case 'missing-file':
      damaged.delete(name);
      return { files: damaged, text: `${name} missing` };
    case 'old-name':
      // The rename was lost with its directory entry.
      damaged.delete(name);
      damaged.set(name.endsWith('.wal') ? 'spare' : `${name}.tmp`, bytes);
      return { files: damaged, text: `${name} under the name it had before` };
  }
}

/** Mostly segments, as most of what is on the disk. */
function pickFile(files: Files, random: SeededRandom): string {
  const names = [...files.keys()].sort();
  const segments = names.filter((name) => name.endsWith('.wal'));
  return random.pick(random.chance(0.7) ? segments : names);
}

/** Mostly where something was written, and often near the end of it. */
function pickPlace(bytes: Uint8Array, random: SeededRandom): number {
  const used = lastUsed(bytes);
  const where = random.next();
  if (where < 0.1) return random.below(Math.max(1, bytes.length));
  if (where < 0.4) return Math.max(0, used - 1 - random.below(600));
  return random.below(Math.max(1, used));
}

function swap(from: Files, damaged: Files, name: string, at: number, random: SeededRandom): string {
  const size = random.pick(BLOCKS);
  const other = pickFile(from, random);
  const first = damaged.get(name) ?? new Uint8Array(0);
  const second = other === name ? first : (from.get(other) ?? new Uint8Array(0)).slice();
  damaged.set(other, second);
  const a = at - (at % size);
  const b = pickPlace(second, random);
  const c = b - (b % size);
  const left = first.slice(a, a + size);
  const right = second.slice(c, c + size);
  first.set(right.subarray(0, Math.min(right.length, first.length - a)), a);
  second.set(left.subarray(0, Math.min(left.length, second.length - c)), c);
  return `blocks of ${size} bytes swapped: ${name} at ${a} and ${other} at ${c}`;
}

function lastUsed(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

/** Random bytes for ids, drawn in bulk: asking the system for a few at a time costs more than all else about an id. */
import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4096);
let used = pool.length;

/** `count` fresh random bytes, at most 4096. A copy: nobody sees them again. */
export function drawRandomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const drawn = Buffer.from(pool.subarray(used, used + count));
  pool.fill(0, used, used + count);
  used += count;
  return drawn;
}

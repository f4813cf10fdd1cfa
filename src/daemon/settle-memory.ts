/** Gives back the memory that only the start needed. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** By the first time connections are up and the first assignments are done. */
const AFTER_MS = [3_000, 10_000, 20_000];

/**
 * Collects garbage a few times soon after the start. V8 collects when much is allocated, which an idle daemon never does: it
 * would keep what loading, compiling and joining left behind, a fifth of its memory, for as long as it has nothing to do. Code
 * that ran only at the start goes when several collections have found it unused; and after each V8 looks by itself whether
 * the process is idle and its heap can shrink.
 */
export function settleMemory(timesMs: readonly number[] = AFTER_MS): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (const ms of timesMs) setTimeout(collect, ms).unref();
}

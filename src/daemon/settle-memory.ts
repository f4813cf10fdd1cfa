/** Gives back the memory that only the start needed. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** By then connections are up and the first assignments are done. */
const AFTER_MS = 3_000;

/**
 * Collects garbage once, soon after the start. V8 collects when much is allocated, which an idle daemon never does: it would
 * keep what loading, compiling and joining left behind, a fifth of its memory, for as long as it has nothing to do. After this
 * one V8 sees by itself that the process is idle, and shrinks its heap within the next half minute.
 */
export function settleMemory(afterMs = AFTER_MS): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
  }, afterMs).unref();
}

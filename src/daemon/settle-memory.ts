/** Gives back the memory that only the start or a burst of work needed. */
import { Session } from 'node:inspector';
import {
  constants,
  performance,
  PerformanceObserver,
  type NodeGCPerformanceDetail,
  type PerformanceEntry,
} from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** By the first time connections are up and the first assignments are done. */
const AFTER_MS = [3_000, 10_000, 20_000];
/** How often to look whether a collection is worth its time, in ms. */
const LOOK_EVERY_MS = 2_000;
/**
 * Share of one core the process may have used since the last look to count as quiet. Not the time it was busy: on a machine with much
 * other work it is busy waiting for its turn.
 */
const QUIET = 0.5;
/** The same, to count as idle. */
const IDLE = 0.25;
/** Memory in use, or the room of the heap, must have grown by this factor since the last collection. */
const GROWTH = 1.25;
/** Collecting may take one part in so many of the time: of a quiet process, of an idle one, and of one that nobody waits for. */
const SHARE_OF_TIME = { quiet: 200, idle: 40, patient: 20 } as const;
/** What collecting in steps counts for of that: most of it is done in threads of their own, and nobody waits. */
const WEIGHT_OF_STEPS = 0.25;
/** So many times the room its objects need is too much for a heap. */
const SPARSE = 1.5;
/** Share of its room a heap must have given back by a collection for another one to be worth it. */
const GIVEN_BACK = 0.05;
/** Longest that collecting in steps is waited for, in ms. */
const STEPS_TIMEOUT_MS = 30_000;
/** Bytes of objects up to which moving them together takes no longer than one may wait: some 100 ms. */
const SMALL = 64 * 1024 * 1024;

/** V8's own. */
type CollectGarbage = (options: { readonly type: 'minor' }) => void;

/**
 * Collects garbage a few times soon after the start, and again when the process has become quiet after it took more memory.
 * V8 collects when much is allocated, which an idle daemon never does: it would keep what loading, joining or a large new
 * service left behind for as long as it has nothing to do. Code that ran only at the start goes when several collections have
 * found it unused, and the room of a heap that was large for a while is given back in several. After each V8 looks by itself whether
 * the process is idle and its heap can shrink. A small heap is moved together as well, which V8 does by itself only when memory runs
 * out: the objects of many connections lie scattered among what is gone. A large one is collected in steps: at one go, the objects of
 * 100,000 tasks would keep a leader silent for so long that other managers stand for election.
 * @param isPatient whether a large heap may be moved together too, which takes seconds
 */
export function settleMemory({ isPatient = false }: { readonly isPatient?: boolean } = {}): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as CollectGarbage;
  let kept = { inUse: inUse(), room: process.memoryUsage().heapTotal };
  let last = { costMs: 0, endedAtMs: 0 };
  /** Bytes of room the last collection left to a heap that will give back more by the next; undefined when there is nothing to go on with. */
  let shrunkTo: number | undefined;
  const collect = async (): Promise<void> => {
    const from = used();
    const { heapUsed } = process.memoryUsage();
    // Not twice at a time.
    last = { costMs: Number.POSITIVE_INFINITY, endedAtMs: from.atMs };
    const isAtOnce = isPatient || heapUsed < SMALL;
    await (isAtOnce ? moveTogether() : collectInSteps(gc));
    const to = used();
    kept = { inUse: inUse(), room: process.memoryUsage().heapTotal };
    last = { costMs: (to.cpuMs - from.cpuMs) * (isAtOnce ? 1 : WEIGHT_OF_STEPS), endedAtMs: to.atMs };
    // The first of several finds what is garbage, and gives back little.
    shrunkTo = sparseRoom(shrunkTo ?? Number.POSITIVE_INFINITY);
  };
  // V8 may have collected by itself while it was busy: then only the room is too large.
  const hasGrown = (): boolean => inUse() > kept.inUse * GROWTH || process.memoryUsage().heapTotal > kept.room * GROWTH;
  const isWorthIt = (share: number, atMs: number): boolean => {
    const busy = isPatient ? 'patient' : share < IDLE ? 'idle' : 'quiet';
    return (
      share < QUIET &&
      (shrunkTo !== undefined || hasGrown()) &&
      atMs - last.endedAtMs > last.costMs * SHARE_OF_TIME[busy]
    );
  };
  for (const ms of AFTER_MS) setTimeout(() => void collect(), ms).unref();
  let before = used();
  setInterval(() => {
    const now = used();
    const share = (now.cpuMs - before.cpuMs) / (now.atMs - before.atMs);
    before = now;
    if (isWorthIt(share, now.atMs)) void collect();
  }, LOOK_EVERY_MS).unref();
}

/** The collector's last resort; nothing but the inspector offers it, here without a port that anybody could connect to. Resolves when done. */
function moveTogether(): Promise<void> {
  const session = new Session();
  session.connect();
  return new Promise((resolve) => {
    session.post('HeapProfiler.collectGarbage', () => {
      resolve();
      // Within the answer it would wait for itself.
      setImmediate(() => session.disconnect());
    });
  });
}

/**
 * Has V8 collect as it does when a heap has grown: between other work, and mostly in threads of its own. Resolves when done. V8 has no
 * call for that; it looks whether it is time after each collection of young objects, and the flag says that it is.
 */
function collectInSteps(gc: CollectGarbage): Promise<void> {
  return new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
      if (list.getEntries().some(isOfAllObjects)) finish();
    });
    const finish = (): void => {
      observer.disconnect();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(finish, STEPS_TIMEOUT_MS).unref();
    observer.observe({ entryTypes: ['gc'] });
    setFlagsFromString('--stress-incremental-marking');
    gc({ type: 'minor' });
    setFlagsFromString('--no-stress-incremental-marking');
  });
}

/** Of GC entries, whose details the types do not know. */
const isOfAllObjects = (entry: PerformanceEntry & { readonly detail?: NodeGCPerformanceDetail }): boolean =>
  entry.detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;

/** Bytes of room of the heap if much of it is not needed by objects, and some of what it had before was given back. */
function sparseRoom(before: number): number | undefined {
  const { heapTotal, heapUsed } = process.memoryUsage();
  return heapTotal > heapUsed * SPARSE && heapTotal < before * (1 - GIVEN_BACK) ? heapTotal : undefined;
}

/** Processor time of the process until now, and when that is. */
function used(): { readonly cpuMs: number; readonly atMs: number } {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, atMs: performance.now() };
}

/** Bytes of objects, garbage among them, and of buffers. */
function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

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
import { CollectionPolicy, type MemoryReading } from './collection-policy.ts';

/** By the first time connections are up and the first assignments are done. */
const AFTER_MS = [3_000, 10_000, 20_000];
/** How often to look whether a collection is worth its time, in ms. */
const LOOK_EVERY_MS = 2_000;
/** Longest that collecting in steps is waited for, in ms. */
const STEPS_TIMEOUT_MS = 30_000;

/** V8's own. */
type CollectGarbage = (options: { readonly type: 'minor' }) => void;

/**
 * Collects garbage a few times soon after the start, and again when the process has become quiet after it took more memory.
 * V8 collects when much is allocated, which an idle daemon never does: it would keep what loading, joining or a large new
 * service left behind for as long as it has nothing to do. Code that ran only at the start goes when several collections have
 * found it unused, and the room of a heap that was large for a while is given back in several. After each V8 looks by itself whether
 * the process is idle and its heap can shrink. A large heap is collected in steps: at one go, the objects of 100,000 tasks would keep a
 * leader silent for so long that other managers stand for election.
 * @param isPatient whether a large heap may be moved together too, which takes seconds
 */
export function settleMemory({ isPatient = false }: { readonly isPatient?: boolean } = {}): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as CollectGarbage;
  const policy = new CollectionPolicy(reading(), isPatient);
  const collect = async (): Promise<void> => {
    const manner = policy.begin(reading());
    if (manner === undefined) return;
    await (manner === 'at-once' ? moveTogether() : collectInSteps(gc));
    policy.end(reading());
  };
  for (const ms of AFTER_MS) setTimeout(() => void collect(), ms).unref();
  setInterval(() => {
    if (policy.isWorthIt(reading())) void collect();
  }, LOOK_EVERY_MS).unref();
}

function reading(): MemoryReading {
  const { user, system } = process.cpuUsage();
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  return { atMs: performance.now(), cpuMs: (user + system) / 1000, heapUsed, heapTotal, external };
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

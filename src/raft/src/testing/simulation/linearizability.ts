/**
 * Whether a history of reads and writes could have happened one after the other, each between its begin and its end.
 *
 * Registers are independent, and a history is linearizable if its part on each of them is (Herlihy and Wing's locality). For one register, all
 * written values being different, the question has an exact answer without search (Gibbons and Korach, "Testing Shared Memories", 1997): put
 * each write and the reads of its value into a cluster. All of a cluster must take place in one stretch, during which the register holds that
 * value. With F the earliest end and S the latest begin in the cluster, the register must hold the value from F to S if F < S (a "forward
 * zone"); else the whole cluster can take place at any one moment between S and F ("backward zone"). The history is linearizable if and only if
 * no read ends before its write begins, no two forward zones overlap, and no backward zone lies inside a forward zone.
 */

export interface Operation {
  readonly kind: 'read' | 'write';
  readonly register: number;
  /** What was written, or read. 0 is the initial value, which nobody writes. */
  readonly value: number;
  /** Any clock that gives every begin and end a different value. */
  readonly begin: number;
  /** Infinity if it never ended: a write may or may not have happened. */
  readonly end: number;
}

interface Cluster {
  readonly value: number;
  hasWrite: boolean;
  writeBegin: number;
  earliestEnd: number;
  latestBegin: number;
}

/** What is wrong with the history; undefined if it is linearizable. Reads that never ended must be left out. */
export function whyNotLinearizable(history: readonly Operation[]): string | undefined {
  const registers = new Map<number, Operation[]>();
  for (const operation of history) {
    const known = registers.get(operation.register);
    if (known === undefined) registers.set(operation.register, [operation]);
    else known.push(operation);
  }
  for (const [register, operations] of registers) {
    const reason = whyNotOneRegister(operations);
    if (reason !== undefined) return `register ${register}: ${reason}`;
  }
  return undefined;
}

function whyNotOneRegister(operations: readonly Operation[]): string | undefined {
  const clusters = new Map<number, Cluster>();
  const initial = clusterOf(clusters, 0);
  initial.hasWrite = true;
  initial.writeBegin = -2;
  initial.earliestEnd = -1;
  initial.latestBegin = -2;
  for (const { kind, value, begin, end } of operations) {
    const cluster = clusterOf(clusters, value);
    if (kind === 'write') {
      if (cluster.hasWrite) return `value ${value} is written twice`;
      cluster.hasWrite = true;
      cluster.writeBegin = begin;
    }
    cluster.earliestEnd = Math.min(cluster.earliestEnd, end);
    cluster.latestBegin = Math.max(cluster.latestBegin, begin);
  }
  const forward: Cluster[] = [];
  const backward: Cluster[] = [];
  for (const cluster of clusters.values()) {
    const { value, hasWrite, writeBegin, earliestEnd, latestBegin } = cluster;
    if (!hasWrite) return `value ${value} is read and was never written`;
    if (earliestEnd < writeBegin) return `value ${value} is read before it is written`;
    // A write that never ended and was never read need not have happened.
    if (earliestEnd === Infinity) continue;
    (earliestEnd < latestBegin ? forward : backward).push(cluster);
  }
  forward.sort((a, b) => a.earliestEnd - b.earliestEnd);
  for (let i = 1; i < forward.length; i++) {
    const [before, after] = [forward[i - 1] as Cluster, forward[i] as Cluster];
    if (after.earliestEnd < before.latestBegin)
      return `values ${before.value} and ${after.value} are each there between reads of the other`;
  }
  for (const { value, earliestEnd, latestBegin } of backward) {
    const around = lastBefore(forward, latestBegin);
    if (around !== undefined && earliestEnd < around.latestBegin)
      return `value ${value} is written and gone while ${around.value} is there all the time`;
  }
  return undefined;
}

function clusterOf(clusters: Map<number, Cluster>, value: number): Cluster {
  let cluster = clusters.get(value);
  if (cluster === undefined) {
    cluster = {
      value,
      hasWrite: false,
      writeBegin: Infinity,
      earliestEnd: Infinity,
      latestBegin: -Infinity,
    };
    clusters.set(value, cluster);
  }
  return cluster;
}

/** The last forward zone that starts before a moment. They do not overlap, so only this one can be around it. */
function lastBefore(forward: readonly Cluster[], moment: number): Cluster | undefined {
  let low = 0;
  let high = forward.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((forward[middle] as Cluster).earliestEnd < moment) low = middle + 1;
    else high = middle;
  }
  return forward[low - 1];
}

/**
 * Durable appends of 512-byte entries: 1, 16 and 256 clients, each with one append in flight, on a log of its own in a temporary
 * folder (RAFT_LOG_BENCH_DIR chooses the disk). Also one proposal after the other through a whole node.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DurableLog, EntryType, RaftNode } from 'raft-ts';
import type { LogKeys } from 'raft-ts';

const RUN_MS = 2000;
const ENTRY_BYTES = 512;
const KEYS: LogKeys = { keys: new Map([['bench', new Uint8Array(32).fill(7)]]), current: 'bench' };

function report(name: string, latenciesMs: number[], elapsedMs: number, more = ''): void {
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): string => (1000 * (latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0)).toFixed(0);
  const rate = ((latenciesMs.length / elapsedMs) * 1000).toFixed(0);
  console.log(
    `${name.padEnd(34)} ${rate.padStart(8)}/s  p50 ${at(0.5).padStart(6)} µs  p99 ${at(0.99).padStart(6)} µs  ${more}`,
  );
}

/** What one write and sync costs here, to read the other figures by. */
function control(directory: string): void {
  const fd = openSync(join(directory, 'control'), 'w');
  writeSync(fd, new Uint8Array(8 * 1024 * 1024));
  fdatasyncSync(fd);
  const latencies: number[] = [];
  const started = performance.now();
  for (let i = 0; performance.now() - started < RUN_MS; i++) {
    const before = performance.now();
    writeSync(fd, new Uint8Array(ENTRY_BYTES), 0, ENTRY_BYTES, (i * ENTRY_BYTES) % (8 * 1024 * 1024));
    fdatasyncSync(fd);
    latencies.push(performance.now() - before);
  }
  closeSync(fd);
  report('control: write and fdatasync', latencies, performance.now() - started);
}

async function openLog(directory: string, keys: LogKeys | undefined): Promise<DurableLog> {
  return DurableLog.open({
    directory,
    clusterId: 'bench',
    nodeId: '1',
    segmentBytes: 64 * 1024 * 1024,
    keys,
    onFatal: (error) => {
      throw error;
    },
  });
}

async function appends(root: string, clients: number, keys: LogKeys | undefined): Promise<void> {
  const name = `${String(clients)} clients${keys === undefined ? '' : ', encrypted'}`;
  const log = await openLog(join(root, name), keys);
  const latencies: number[] = [];
  const data = new Uint8Array(ENTRY_BYTES).fill(1);
  const started = performance.now();
  let index = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - started < RUN_MS) {
      const before = performance.now();
      const entry = { type: EntryType.Normal, term: 1, index: ++index, data };
      await new Promise<void>((resolve) => {
        log.append({ entries: [entry] }, resolve);
      });
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = performance.now() - started;
  const { batches, groups } = log.stats();
  report(name, latencies, elapsed, `${(batches / groups).toFixed(1)} appends per sync`);
  await log.close();
}

async function proposals(root: string, clients: number): Promise<void> {
  const log = await openLog(join(root, `node ${String(clients)}`), undefined);
  const waiting = new Map<number, () => void>();
  const stateMachine = {
    apply: (entries: readonly { readonly index: number }[]): void => {
      for (const { index } of entries) {
        waiting.get(index)?.();
        waiting.delete(index);
      }
    },
    restore: () => Promise.resolve(),
    snapshot: () => [],
  };
  const node = new RaftNode({
    id: '1',
    log,
    stateMachine,
    bootstrap: [{ id: '1' }],
    random: Math.random,
    send: () => undefined,
    sendSnapshot: () => undefined,
  });
  await node.start();
  while (!node.isLeader) await new Promise((resolve) => setTimeout(resolve, 5));
  const latencies: number[] = [];
  const data = new Uint8Array(ENTRY_BYTES).fill(1);
  const started = performance.now();
  const client = async (): Promise<void> => {
    while (performance.now() - started < RUN_MS) {
      const before = performance.now();
      const result = node.propose(data);
      if (!result.ok) throw new Error(result.reason);
      await new Promise<void>((resolve) => waiting.set(result.index, resolve));
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  report(`node of one, ${String(clients)} clients`, latencies, performance.now() - started);
  node.stop();
  await log.close();
}

const root = mkdtempSync(join(process.env['RAFT_LOG_BENCH_DIR'] ?? tmpdir(), 'raft-log-bench-'));
try {
  control(root);
  for (const clients of [1, 16, 256]) await appends(root, clients, undefined);
  for (const clients of [1, 256]) await appends(root, clients, KEYS);
  for (const clients of [1, 64, 512]) await proposals(root, clients);
} finally {
  rmSync(root, { recursive: true, force: true });
}

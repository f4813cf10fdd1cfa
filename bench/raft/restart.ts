/** A node with a million entries in its log: written by one process, started by another. Called with `write DIR` or `start DIR`. */
import { DurableLog, EntryType, RaftNode, type LogKeys } from 'raft-ts';

export const ENTRIES = 1_000_000;
const BATCH = 1_000;
const VALUE_BYTES = 256;
const KEYS: LogKeys = { keys: new Map([['bench', new Uint8Array(32).fill(7)]]), current: 'bench' };
const CONF_STATE = { voters: ['1'], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };

const [, , mode, directory = ''] = process.argv;
if (mode === 'write') await write();
else if (mode === 'start') console.log(JSON.stringify(await start()));

function open(): Promise<DurableLog> {
  return DurableLog.open({
    directory,
    clusterId: 'bench',
    nodeId: '1',
    segmentBytes: 64 * 1024 * 1024,
    keys: KEYS,
    onFatal: (error) => {
      throw error;
    },
  });
}

async function write(): Promise<void> {
  const log = await open();
  const data = new Uint8Array(VALUE_BYTES).fill(1);
  const append = (batch: Parameters<DurableLog['append']>[0]): Promise<void> =>
    new Promise((resolve) => {
      log.append(batch, resolve);
    });
  await append({ confState: CONF_STATE });
  for (let first = 1; first <= ENTRIES; first += BATCH) {
    const entries = Array.from({ length: BATCH }, (_, i) => ({
      type: EntryType.Normal,
      term: 1,
      index: first + i,
      data,
    }));
    await append({ entries, hardState: { term: 1, vote: '1', commit: first + BATCH - 1 } });
  }
  await log.close();
}

/** How long until the log is checked and open, and until the state machine has all of it. */
async function start(): Promise<{ readonly openMs: number; readonly appliedMs: number }> {
  const begin = performance.now();
  const log = await open();
  const openMs = performance.now() - begin;
  let applied = 0;
  const node = new RaftNode({
    id: '1',
    log,
    stateMachine: {
      apply: (entries) => {
        applied += entries.length;
      },
      restore: async () => undefined,
      snapshot: () => [],
    },
    random: Math.random,
    send: () => undefined,
    sendSnapshot: () => undefined,
    snapshotEntries: 2 * ENTRIES,
    minSnapshotLogBytes: Infinity,
  });
  await node.start();
  while (applied < ENTRIES) {
    node.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const appliedMs = performance.now() - begin;
  node.stop();
  await log.close();
  return { openMs, appliedMs };
}

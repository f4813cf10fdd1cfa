/**
 * One member of our group as a process of its own: the managers' consensus room with its store, log (encrypted) and transport (mutual TLS),
 * and etcd's Put in front of it. It is told what to do by the process that started it.
 */
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LogKeys, Message } from 'raft-ts';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/log.ts';
import { addService } from '../../src/common/rpc.ts';
import type { KeyPair } from '../../src/identity/certificate.ts';
import { Keyring } from '../../src/identity/keyring.ts';
import { NodeIdentity } from '../../src/identity/node-identity.ts';
import { TlsListener } from '../../src/identity/tls-listener.ts';
import { Consensus } from '../../src/manager/consensus/consensus.ts';
import type { Member } from '../../src/manager/consensus/member-list.ts';
import { messageSockets } from '../../src/manager/consensus/message-sockets.ts';
import { raftMethods } from '../../src/manager/consensus/raft-service.ts';
import { newGrpcServer } from '../../src/manager/rpc/grpc-server.ts';
import { newRequestId } from '../../src/manager/store/request-id.ts';
import { Store } from '../../src/manager/store/store.ts';
import { Config } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { RaftService } from '../../src/proto/generated/docker/swarmkit/v1/raft.ts';
import { aService, aTask } from '../../test/support/builders.ts';
import { KvService, type PutRequest, type PutResponse } from './kv.ts';

export interface MemberStart {
  readonly directory: string;
  readonly rootBundle: string;
  readonly pair: KeyPair;
  readonly raftId: string;
  /** Members it finds; none for the first of a group. */
  readonly known: readonly Member[];
}

/** What a member can be asked. */
export type MemberCall =
  | { readonly call: 'start'; readonly start: MemberStart }
  | { readonly call: 'admit'; readonly member: Member }
  | { readonly call: 'fill'; readonly tasks: number }
  | { readonly call: 'snapshot' }
  | { readonly call: 'watch'; readonly isAfresh: boolean }
  /** Ends watching. */
  | { readonly call: 'report' };

export interface MemberReport {
  readonly rssMb: number;
  /** While it was told to watch, since it was told to do so afresh; how late the event loop was. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly isLeader: boolean;
  readonly voters: number;
  readonly applied: number;
  readonly tasks: number;
}

const DELAY_RESOLUTION_MS = 5;
const TASKS_PER_TRANSACTION = 200;

const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
let member: { readonly consensus: Consensus; readonly store: Store; readonly keys: LogKeys } | undefined;

process.on('message', (message: MemberCall & { readonly id: number }) => {
  answer(message).then(
    (result) => process.send?.({ id: message.id, result }),
    (error: unknown) => process.send?.({ id: message.id, error: String(error) }),
  );
});

async function answer(message: MemberCall): Promise<unknown> {
  if (message.call === 'start') return start(message.start);
  if (member === undefined) throw new Error('it was not started');
  const { consensus, store, keys } = member;
  switch (message.call) {
    case 'admit':
      return consensus.admit(message.member);
    case 'fill':
      return fill(store, message.tasks);
    case 'snapshot':
      // The keys it has: what follows is a snapshot.
      return consensus.setKeys(keys);
    case 'watch':
      if (message.isAfresh) delay.reset();
      delay.enable();
      return undefined;
    case 'report':
      delay.disable();
      return report(consensus, store);
  }
}

async function start({ directory, rootBundle, pair, raftId, known }: MemberStart): Promise<Member> {
  const identity = NodeIdentity.inMemory(rootBundle, pair);
  const grpc = newGrpcServer();
  const ports = {
    members: () => consensus.members,
    step: (message: Message) => consensus.step(message),
    openSnapshotSink: (message: Message) => consensus.openSnapshotSink(message),
  };
  const http = messageSockets({ ...ports, identify: (call) => listener.identify(call), log: silentLogger });
  const listener: TlsListener = new TlsListener({ identity, grpc, http, isRemoved: () => false });
  const port = await listener.listen('127.0.0.1', 0);
  const local = { raftId, nodeId: identity.current.nodeId, address: `127.0.0.1:${port}` };
  const store: Store = new Store({
    clock: systemClock,
    newRequestId,
    proposer: { propose: (data) => consensus.propose(data) },
  });
  const keysFile = join(directory, 'keys.json');
  const keyring = (await Keyring.load(keysFile)) ?? (await Keyring.create(keysFile));
  const consensus: Consensus = await Consensus.open(
    {
      directory: join(directory, 'raft'),
      keys: keyring.log,
      identity,
      local,
      bootstrap: known.length === 0,
      knownMembers: known,
      clock: systemClock,
      random: Math.random,
      log: silentLogger,
      tickMs: 100,
      electionTicks: 10,
      heartbeatTicks: 1,
      events: {
        leadership: () => undefined,
        removed: () => process.exit(1),
        fatal: (error) => {
          throw error;
        },
      },
    },
    store,
  );
  const options = { identify: listener.identify, log: silentLogger };
  addService(grpc, RaftService, raftMethods(ports), options);
  addService(grpc, KvService, { put: { access: 'manager', handle: (request) => put(store, request) } }, options);
  await consensus.start();
  member = { consensus, store, keys: keyring.log };
  return local;
}

async function put(store: Store, { key, value }: PutRequest): Promise<PutResponse> {
  await store.update((tx) => {
    const config = configOf(key, value);
    const before = tx.config.get(config.id);
    if (before === undefined) tx.config.create(config);
    else tx.config.update({ ...before, spec: config.spec });
  });
  return {};
}

/** Ids of the store's objects differ in their first characters, which those of the keys do not. */
function configOf(key: string, value: Uint8Array): Config {
  const id = Array.from(key).reverse().join('');
  return Config.fromPartial({ id, spec: { annotations: { name: key }, data: Buffer.from(value) } });
}

async function fill(store: Store, tasks: number): Promise<void> {
  const service = aService({ id: 'many', labels: { tier: 'backend' } });
  const numbers = Array.from({ length: tasks }, (_, i) => i);
  for (let first = 0; first < tasks; first += TASKS_PER_TRANSACTION) {
    const some = numbers.slice(first, first + TASKS_PER_TRANSACTION);
    await store.batch(some, (tx, n) => tx.task.create(aTask(service, { id: `task-${n}`, slot: String(n) })));
  }
}

function report(consensus: Consensus, store: Store): MemberReport {
  return {
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    delayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS),
    delayMaxMs: delay.max / 1e6,
    isLeader: consensus.isLeader,
    voters: consensus.voters.length,
    applied: store.version,
    tasks: store.read.task.all().length,
  };
}

/** Consensus members over real TLS, real logs and loopback, in one process. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Message } from 'raft-ts';
import { systemClock } from '../../src/common/clock.ts';
import { newId } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import { addService } from '../../src/common/rpc.ts';
import { newGrpcServer } from '../../src/manager/rpc/grpc-server.ts';
import {
  createRootCa,
  createSigningRequest,
  signNodeCertificate,
  type KeyPair,
} from '../../src/identity/certificate.ts';
import { Keyring } from '../../src/identity/keyring.ts';
import { NodeIdentity } from '../../src/identity/node-identity.ts';
import { TlsListener } from '../../src/identity/tls-listener.ts';
import { Consensus } from '../../src/manager/consensus/consensus.ts';
import { messageSockets } from '../../src/manager/consensus/message-sockets.ts';
import { raftMethods } from '../../src/manager/consensus/raft-service.ts';
import type { Member } from '../../src/manager/consensus/member-list.ts';
import { Store } from '../../src/manager/store/store.ts';
import { RaftService } from '../../src/proto/generated/docker/swarmkit/v1/raft.ts';

export interface TestMember {
  readonly member: Member;
  readonly store: Store;
  readonly consensus: Consensus;
  wasRemoved: boolean;
  /** Cuts all connections and stops without a word to the others, as a crash would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export class ConsensusGroup {
  readonly #directory: string;
  readonly #root: KeyPair;
  readonly #clusterId = newId();
  readonly #running = new Set<TestMember>();
  readonly #identities = new Map<string, NodeIdentity>();

  private constructor(directory: string, root: KeyPair) {
    this.#directory = directory;
    this.#root = root;
  }

  static async create(): Promise<ConsensusGroup> {
    return new ConsensusGroup(await mkdtemp(join(tmpdir(), 'swarmd-group-')), await createRootCa(Date.now()));
  }

  /** Starts a member; the same name again resumes it from its folder at its old address. */
  async start(
    name: string,
    options: { bootstrap?: boolean; known?: readonly Member[]; snapshotEntries?: number } = {},
    earlier?: Member,
  ): Promise<TestMember> {
    const identity = await this.#identityOf(name);
    const grpc = newGrpcServer();
    const ports = {
      members: () => consensus.members,
      step: (message: Message) => consensus.step(message),
      openSnapshotSink: (message: Message) => consensus.openSnapshotSink(message),
    };
    const http = messageSockets({ ...ports, identify: (call) => listener.identify(call), log: silentLogger });
    const listener: TlsListener = new TlsListener({ identity, grpc, http, isRemoved: () => false });
    const port = await listener.listen('127.0.0.1', earlier ? Number(earlier.address.split(':')[1]) : 0);
    const member: Member = earlier ?? {
      raftId: (randomBytes(8).readBigUInt64BE() >> 1n).toString(),
      nodeId: identity.current.nodeId,
      address: `127.0.0.1:${port}`,
    };
    let requests = 0;
    const store: Store = new Store({
      clock: systemClock,
      newRequestId: () => `${BigInt(member.raftId) / 1_000_000n}${++requests}`,
      proposer: { propose: (data) => consensus.propose(data) },
    });
    const keysFile = join(this.#directory, name, 'keys.json');
    const keyring = (await Keyring.load(keysFile)) ?? (await Keyring.create(keysFile));
    const consensus: Consensus = await Consensus.open(
      {
        directory: join(this.#directory, name, 'raft'),
        keys: keyring.log,
        identity,
        local: member,
        bootstrap: options.bootstrap ?? false,
        knownMembers: options.known ?? [],
        clock: systemClock,
        random: Math.random,
        log: silentLogger,
        tickMs: 20,
        electionTicks: 10,
        heartbeatTicks: 1,
        ...(options.snapshotEntries === undefined
          ? {}
          : { snapshotEntries: options.snapshotEntries, trailingEntries: 10 }),
        events: {
          leadership: () => undefined,
          removed: () => {
            running.wasRemoved = true;
          },
          fatal: (error) => {
            throw error;
          },
        },
      },
      store,
    );
    addService(grpc, RaftService, raftMethods(ports), { identify: listener.identify, log: silentLogger });
    await consensus.start();
    const end = async (isOrderly: boolean): Promise<void> => {
      if (!this.#running.delete(running)) return;
      if (!isOrderly) await listener.close();
      else if (consensus.isLeader) await consensus.transferLeadership().catch(() => undefined);
      await consensus.stop();
      await listener.close();
    };
    const running: TestMember = {
      member,
      store,
      consensus,
      wasRemoved: false,
      kill: () => end(false),
      stop: () => end(true),
    };
    this.#running.add(running);
    return running;
  }

  /** Snapshot files of a member. */
  async snapshots(name: string): Promise<readonly string[]> {
    return (await readdir(join(this.#directory, name, 'raft'))).filter((file) => file.endsWith('.snap'));
  }

  async close(): Promise<void> {
    for (const member of this.#running) await member.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #identityOf(name: string): Promise<NodeIdentity> {
    const known = this.#identities.get(name);
    if (known) return known;
    const { csr, key } = await createSigningRequest();
    const subject = { nodeId: newId(), role: 'manager', clusterId: this.#clusterId } as const;
    const certificate = await signNodeCertificate(csr, subject, this.#root, { nowMs: Date.now(), lifeMs: 3_600_000 });
    const identity = NodeIdentity.inMemory(this.#root.certificate, { certificate, key });
    this.#identities.set(name, identity);
    return identity;
  }
}

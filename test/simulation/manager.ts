/**
 * A simulated manager. Real: raft node, store, control, certificate authority, membership, leader loops with orchestrator, allocator,
 * scheduler and dispatcher. Simulated: what is below them. It can crash at any event and start again with what its disk kept. One that is
 * no member yet asks to be admitted, as one does whose log is lost: it comes back under another raft id.
 */
import { setMaxListeners } from 'node:events';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { ConfigurationChanged, Message, RaftNode } from 'raft-ts';
import { sleep } from '../../src/common/clock.ts';
import type { Random } from '../../src/common/random.ts';
import { wasRemoved } from '../../src/manager/control/node-removal.ts';
import type { Member } from '../../src/manager/consensus/member-list.ts';
import type { ControlService } from '../../src/manager/control/control.ts';
import type { Dispatcher } from '../../src/manager/dispatcher/dispatcher.ts';
import { requestAdmission } from '../../src/manager/members/admission.ts';
import { healthMethods } from '../../src/manager/members/membership-service.ts';
import type { ClientConstructor } from '../../src/manager/rpc/manager-channels.ts';
import { encodeSnapshot } from '../../src/manager/store/snapshot.ts';
import type { Store } from '../../src/manager/store/store.ts';
import type { Commit } from '../../src/manager/store/watch.ts';
import { HealthService } from '../../src/proto/generated/docker/swarmkit/v1/health.ts';
import type { Calls, Party } from './calls.ts';
import type { SimulatedLog } from './disk.ts';
import type { SimulatedIdentity } from './identity.ts';
import type { Foundation } from './leader.ts';
import type { Network } from './network.ts';
import type { PretendPki } from './pki.ts';
import { ManagerProcess } from './process.ts';
import type { Timeline } from './timeline.ts';
import type { Tell } from './trace.ts';

/** A manager that nobody admits asks again so much later. */
const ASK_AGAIN_MS = 2_000;

export interface Surroundings {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly calls: Calls;
  readonly random: Random;
  readonly pki: PretendPki;
  readonly tell: Tell;
  readonly newLog: () => SimulatedLog;
  /** By raft id. */
  readonly manager: (raftId: string) => SimulatedManager | undefined;
  readonly managerAt: (address: string) => SimulatedManager | undefined;
  /** Addresses of all managers there are. */
  readonly addresses: () => readonly string[];
  readonly onCommit: (life: string, commit: Commit) => void;
  /** A manager was taken out of the group: it asks what it is now. */
  readonly takenOut: (manager: SimulatedManager) => void;
  readonly onLeadership: (raftId: string, term: number) => void;
  readonly onConfiguration: (raftId: string, changed: ConfigurationChanged) => void;
}

export class SimulatedManager implements Party {
  /** The how manieth node it is. */
  readonly number: number;
  readonly identity: SimulatedIdentity;
  readonly #around: Surroundings;
  #foundation: Foundation | undefined;
  #log: SimulatedLog;
  #raftId: string | undefined;
  #end: AbortController | undefined;
  #process: ManagerProcess | undefined;
  #knownMembers: readonly Member[] = [];
  #lives = 0;

  /** @param foundation for the first one; the others join */
  constructor(number: number, identity: SimulatedIdentity, around: Surroundings, foundation?: Foundation) {
    this.number = number;
    this.identity = identity;
    this.#around = around;
    this.#foundation = foundation;
    this.#raftId = foundation && '1';
    this.#log = around.newLog();
  }

  get name(): string {
    return `manager ${this.number}`;
  }

  /** In the consensus group; empty while it is no member. */
  get raftId(): string {
    return this.#raftId ?? '';
  }

  get nodeId(): string {
    return this.identity.nodeId;
  }

  get address(): string {
    return `192.0.2.${this.number}:2377`;
  }

  get member(): Member {
    return { raftId: this.raftId, nodeId: this.nodeId, address: this.address };
  }

  /** The group as this manager sees it. */
  get members(): readonly Member[] {
    return this.#running().seat.members.all();
  }

  /** It is a manager by its certificate and was not taken out. */
  get shouldRun(): boolean {
    return this.identity.current?.role === 'manager';
  }

  /** Its process is there, be it only to ask for admission. */
  get isStarted(): boolean {
    return this.#end !== undefined;
  }

  /** It is part of the group. */
  get isUp(): boolean {
    return this.#process !== undefined;
  }

  get isLeader(): boolean {
    return this.#process?.node.isLeader ?? false;
  }

  /** Whether it does what only the leader may do. */
  get runsLoops(): boolean {
    return this.#process?.loops.isRunning ?? false;
  }

  get term(): number {
    return this.#process?.node.status()?.hardState.term ?? 0;
  }

  /** Aborts when the process ends. */
  get signal(): AbortSignal {
    return this.#end?.signal ?? AbortSignal.abort();
  }

  get store(): Store {
    return this.#running().store;
  }

  get control(): ControlService {
    return this.#running().control;
  }

  get dispatcher(): Dispatcher {
    return this.#running().dispatcher;
  }

  get node(): RaftNode {
    return this.#running().node;
  }

  /** Every byte of the state, in the order of a snapshot. */
  stateText(): string {
    const pieces = encodeSnapshot(this.store.capture(), this.#running().seat.members.toSnapshot());
    return Buffer.concat([...pieces]).toString('latin1');
  }

  /** Methods of a service as of now; one that only asks for admission can do no more than say that it is there. */
  methodsOf(definition: ServiceDefinition): unknown {
    if (this.#process) return this.#process.methodsOf(definition);
    return this.#end && definition === HealthService ? healthMethods(() => true) : undefined;
  }

  knowsAsRemoved(nodeId: string): boolean {
    return this.#process !== undefined && wasRemoved(this.#process.store.read, nodeId);
  }

  /** Resolves when its process is there; that it is admitted may take long. */
  async start(): Promise<void> {
    if (this.#end) return;
    this.#end = new AbortController();
    const { signal } = this.#end;
    setMaxListeners(0, signal);
    if (this.#raftId !== undefined) await this.#run(this.#raftId, signal);
    else void this.#enter(signal);
  }

  /** The process is gone at once; its disk keeps what it keeps. */
  async crash(): Promise<void> {
    if (!this.#end) return;
    this.#end.abort();
    this.#end = undefined;
    const process = this.#process;
    this.#process = undefined;
    process?.end();
    if (process) this.#log = await this.#log.afterCrash();
  }

  /** Its log is damaged: a member must neither vote nor acknowledge with such a one, and joins the others again as a new member. */
  async loseLog(): Promise<void> {
    await this.crash();
    this.#forgetGroup();
  }

  /** It is no longer part of the group, and ends. */
  leaveGroup(): void {
    this.#around.timeline.setTimer(0, () => void this.loseLog().then(() => this.#around.takenOut(this)));
  }

  /** A message of another manager arrives. */
  receive(message: Message): boolean {
    const process = this.#process;
    if (process === undefined || message.to !== this.#raftId) return false;
    if (process.seat.members.isRemoved(message.from)) {
      // A member that was away while it was taken out learns of it this way.
      this.#around.manager(message.from)?.leaveGroup();
      return true;
    }
    process.seat.heard(message.from);
    process.node.step(message);
    return true;
  }

  /** Its connection to another manager broke. */
  disconnectedFrom({ raftId }: SimulatedManager): void {
    this.#process?.node.reportDisconnected(raftId);
  }

  receiveSnapshot(message: Message, content: Uint8Array): boolean {
    const metadata = message.snapshot?.metadata;
    if (this.#process === undefined || metadata === undefined || message.to !== this.#raftId) return false;
    this.#log.receive(metadata, content);
    return this.receive(message);
  }

  #running(): ManagerProcess {
    if (this.#process === undefined) throw new Error(`manager ${this.number} is down`);
    return this.#process;
  }

  #forgetGroup(): void {
    this.#raftId = undefined;
    this.#foundation = undefined;
    this.#knownMembers = [];
    this.#log = this.#around.newLog();
  }

  /** Asks the others until they take it in. */
  async #enter(signal: AbortSignal): Promise<void> {
    const { timeline, calls, managerAt, addresses, tell } = this.#around;
    const clients = {
      client: <C>(address: string, type: ClientConstructor<C>): C =>
        calls.client<C>(this, () => managerAt(address), (type as unknown as { service: ServiceDefinition }).service),
    };
    while (!signal.aborted) {
      tell(`manager ${this.number} wants to join`);
      const others = addresses().filter((address) => address !== this.address);
      const admission = await requestAdmission(clients, others, this.address, timeline).catch((error: unknown) =>
        tell(`manager ${this.number} is not admitted: ${String(error)}`),
      );
      if (signal.aborted) return;
      if (admission) {
        this.#raftId = admission.raftId;
        this.#knownMembers = admission.members;
        return this.#run(admission.raftId, signal);
      }
      await sleep(timeline, ASK_AGAIN_MS, signal).catch(() => undefined);
    }
  }

  async #run(raftId: string, signal: AbortSignal): Promise<void> {
    const lifeNumber = ++this.#lives;
    const process = new ManagerProcess({
      around: this.#around,
      party: this,
      member: { raftId, nodeId: this.nodeId, address: this.address },
      log: this.#log,
      foundation: this.#foundation,
      knownMembers: this.#knownMembers,
      signal,
      life: `${this.number}-${lifeNumber}`,
      lifeNumber,
      send: (messages) => this.#send(messages),
      sendSnapshot: (message) => this.#sendSnapshot(message, this.#log),
      removed: () => this.leaveGroup(),
    });
    this.#process = process;
    await process.start();
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      const lost = (): void => this.#process?.node.reportUnreachable(message.to);
      this.#carry(message.to, (to) => to.receive(message) || lost(), lost);
    }
  }

  #sendSnapshot(message: Message, log: SimulatedLog): void {
    const report = (isDelivered: boolean): void => this.#process?.node.reportSnapshot(message.to, isDelivered);
    const metadata = message.snapshot?.metadata;
    if (metadata === undefined) return report(false);
    void (async () => {
      const parts: Uint8Array[] = [];
      for await (const part of (await log.openSnapshot(metadata)).chunks()) parts.push(part);
      const content = Buffer.concat(parts);
      this.#carry(
        message.to,
        (to) => report(to.receiveSnapshot(message, content)),
        () => report(false),
      );
    })().catch(() => report(false));
  }

  /** To a member, if both sides show certificates the other trusts. */
  #carry(raftId: string, deliver: (to: SimulatedManager) => void, lost: () => void): void {
    const { network, calls, manager, timeline } = this.#around;
    const to = manager(raftId);
    if (!to) return void timeline.setTimer(1, lost);
    const isTrusted = calls.trust(this.identity, to.identity);
    network.carry(this.name, to.name, () => (isTrusted ? deliver(to) : lost()), lost);
  }
}

/** A node as a process: the state machine, its log on a disk, and the application. It can crash or stand still at any moment. */
import { APPEND_THREAD, APPLY_THREAD, MessageType } from '../../types.ts';
import type { Message, PeerId, Snapshot } from '../../types.ts';
import { LogCorruptError } from '../../log/errors.ts';
import type { LogKeys } from '../../log/keys.ts';
import type { Raft } from '../../machine/raft.ts';
import { RawNode } from '../../raw-node.ts';
import type { Ready } from '../../ready.ts';
import type { Application } from './application.ts';
import { AppliedState } from './applied-state.ts';
import { SimulatedDisk } from './disk.ts';
import type { Micros } from './event-queue.ts';
import { SafetyViolation } from './ledger.ts';
import { brokenPromise, SimulatedLog } from './log.ts';
import { ELECTION_TICKS, TICK } from './plan.ts';
import type { Surroundings } from './surroundings.ts';

/** Lets the checks look inside. */
class InspectedNode extends RawNode {
  get inside(): Raft {
    return this.raft;
  }
}

const ROUNDS_PER_STEP = 4;
const KEYS: LogKeys = { keys: new Map([['k', new Uint8Array(32).fill(7)]]), current: 'k' };

export class SimulatedNode {
  readonly id: PeerId;
  readonly disk = new SimulatedDisk();
  readonly #world: Surroundings;
  /** How fast the node's clock runs. */
  readonly #drift: number;
  status: 'running' | 'down' | 'halted' = 'down';
  core: InspectedNode | undefined;
  log: SimulatedLog | undefined;
  /** The disk was damaged since the last start. */
  isDamaged = false;
  isDiskFull = false;
  /** The next sync fails. */
  isSyncFailing = false;
  /** Crash as soon as the next write is durable, before or after it is answered. */
  crashAfterWrite: 'before-answer' | 'after-answer' | undefined;
  /** Hears of a crash that nobody asked for at that moment. */
  onDeath: (() => void) | undefined;
  /** Broken for good: it will not be started again. */
  isGone = false;
  readonly #state: AppliedState;
  /** Work handed out and not yet done. */
  #applies: Message[] = [];
  /** Senders of snapshots that are not kept yet, to be told whether they arrived. */
  readonly #receiving = new Set<(arrived: boolean) => void>();
  #isApplying = false;
  #isMakingSnapshot = false;
  /** Without async writes: the ready that is being written. */
  #isBlocked = false;
  /** Counts lives: what was meant for an earlier one is void. */
  #life = 0;
  #pausedUntil: Micros = 0;

  constructor(id: PeerId, world: Surroundings) {
    this.id = id;
    this.#world = world;
    const { plan, schedule, ledger } = world;
    this.#state = new AppliedState(id, ledger, {
      applied: (command) => world.applied(this, command),
      readable: (read) => world.readable(this, read),
    });
    const drift = 0.75 + 0.5 * schedule.next();
    this.#drift = plan.faults.has('drift') ? drift : 1;
  }

  /** Index of the last entry applied. */
  get applied(): number {
    return this.#state.index;
  }

  get application(): Application {
    return this.#state.application;
  }

  get isRunning(): boolean {
    return this.status === 'running';
  }

  get isPaused(): boolean {
    return this.#pausedUntil > this.#world.queue.now;
  }

  /** Starts from what is on the disk; halts if that is damaged. */
  start(first?: Snapshot): void {
    const { plan, disk } = this.#world;
    const before = this.log?.promises;
    try {
      this.log = new SimulatedLog(this.id, this.disk, disk, plan.isEncrypted ? KEYS : undefined);
    } catch (error) {
      if (!(error instanceof LogCorruptError)) throw error;
      if (!this.isDamaged) this.#fail(`its log is called corrupt after a mere crash: ${error.message}`);
      this.#world.trace(this, () => `halts: ${error.message}`);
      this.status = 'halted';
      return;
    }
    const broken = before === undefined ? undefined : brokenPromise(before, this.log);
    if (broken !== undefined) this.#fail(`the disk forgot: ${broken}`);
    if (first !== undefined) this.#install(this.log, first);
    this.isDamaged = false;
    this.#life++;
    this.#pausedUntil = 0;
    this.#applies = [];
    this.#isApplying = false;
    this.#isMakingSnapshot = false;
    this.#isBlocked = false;
    this.#state.begin(this.log.snapshot());
    this.core = new InspectedNode({
      ...plan.raft,
      id: this.id,
      storage: this.log,
      applied: this.applied,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      random: () => this.#world.timeouts.next(),
    });
    this.status = 'running';
    this.#world.restarted(this);
    this.#later(TICK * this.#world.schedule.next(), () => this.#tick());
    this.settle();
  }

  /** Loses everything in memory and what was not synced. */
  crash(): void {
    if (this.status !== 'running') return;
    this.#world.trace(this, () => 'crashes');
    this.status = 'down';
    this.#life++;
    this.core = undefined;
    this.crashAfterWrite = undefined;
    this.isSyncFailing = false;
    for (const answered of this.#receiving) this.#world.queue.after(0, () => answered(false));
    this.#receiving.clear();
    this.disk.crash(this.#world.disk);
  }

  /** Stands still; everything meant for it waits. Then the clock may jump. */
  pause(duration: Micros, missedTicks: number): void {
    this.#pausedUntil = this.#world.queue.now + duration;
    this.#later(duration, () => {
      for (let i = 0; i < missedTicks; i++) this.core?.tick();
      this.settle();
    });
  }

  resume(): void {
    this.#pausedUntil = 0;
  }

  /** Takes a message, when it does not stand still; says whether there was anybody to take it. */
  receive(message: Message, answered: (arrived: boolean) => void): void {
    if (this.isPaused && this.isRunning) {
      this.#world.queue.after(this.#pausedUntil - this.#world.queue.now, () => this.receive(message, answered));
      return;
    }
    const { core, log } = this;
    const { type, snapshot } = message;
    if (core === undefined || log === undefined || (snapshot !== undefined && this.isDiskFull)) {
      answered(false);
      return;
    }
    if (type === MessageType.MsgSnap && snapshot !== undefined) {
      this.#receiving.add(answered);
      log.receive(snapshot, () => {
        if (this.core !== core) return;
        this.#receiving.delete(answered);
        core.step(message);
        answered(true);
      });
    } else {
      core.step(message);
      answered(true);
    }
    this.settle();
  }

  /** Lets the node act on a call from outside and takes the work that follows. Nothing happens while it is down or stands still. */
  act(action: (core: RawNode) => void): void {
    if (this.core === undefined || this.isPaused) return;
    action(this.core);
    this.settle();
  }

  /** As {@link act}, with something the node's own transport found out: it is told once the process goes on. */
  hear(action: (core: RawNode) => void): void {
    if (this.isPaused) this.#later(0, () => this.act(action));
    else this.act(action);
  }

  /** Drops entries up to the snapshot, which is made now if need be. */
  compact(trailing: number): void {
    this.#makeSnapshot(0);
    this.log?.compact(this.log.snapshot().metadata.index - trailing);
  }

  /** Takes the work there is, mostly at once, sometimes later. */
  settle(): void {
    const { schedule, stepped } = this.#world;
    stepped(this);
    if (schedule.chance(0.15)) this.#later(1000 * schedule.next(), () => this.settle());
    else this.#pump();
    stepped(this);
    this.#startApply();
    this.#snapshotIfDue();
    this.#startWrite();
  }

  #install(log: SimulatedLog, snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    log.receive(snapshot, () => undefined);
    log.append({ snapshot, hardState: { term, vote: '0', commit: index } }, () => undefined);
    log.startGroup();
    log.completeGroup();
  }

  #tick(): void {
    this.core?.tick();
    const { schedule } = this.#world;
    if (schedule.chance(0.05)) this.log?.flushLazy();
    this.#later(TICK * this.#drift * (0.9 + 0.2 * schedule.next()), () => this.#tick());
    this.settle();
  }

  #pump(): void {
    for (let round = 0; round < ROUNDS_PER_STEP; round++) {
      const { core } = this;
      if (core === undefined || this.#isBlocked || !core.hasReady()) break;
      const ready = core.ready();
      this.#state.expectReads(ready.readStates);
      if (this.#world.plan.raft.asyncStorageWrites === true) this.#take(ready.messages);
      else this.#takeInOrder(core, ready);
      this.log?.finishIdle();
    }
    this.#state.answerReads();
  }

  #take(messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.to === APPEND_THREAD) this.#append(message);
      else if (message.to === APPLY_THREAD) this.#applies.push(message);
      else this.#world.send(this, message);
    }
  }

  #append({ snapshot, term, vote, commit, entries, responses }: Message): void {
    const hardState = term === 0 && commit === 0 ? undefined : { term, vote, commit };
    // What a snapshot overtakes need not be applied; its answers are due all the same.
    const overtaken = snapshot === undefined ? [] : this.#applies.flatMap((apply) => apply.responses);
    if (snapshot !== undefined) this.#applies = [];
    this.log?.append({ snapshot, entries, hardState }, () => {
      if (snapshot !== undefined) this.#state.restore(snapshot);
      this.#deliver([...responses, ...overtaken]);
    });
  }

  /** Without async writes: write, then send, then apply, then advance. */
  #takeInOrder(core: RawNode, { hardState, snapshot, entries, messages, committedEntries }: Ready): void {
    this.#isBlocked = true;
    this.log?.append({ snapshot, entries, hardState }, () => {
      if (this.core !== core) return;
      this.#isBlocked = false;
      if (snapshot !== undefined) this.#state.restore(snapshot);
      for (const message of messages) this.#world.send(this, message);
      this.#state.apply(committedEntries, core);
      core.advance();
    });
  }

  #startWrite(): void {
    const { log } = this;
    if (log === undefined || this.status !== 'running' || log.isWriting || !log.hasWork || this.isDiskFull) return;
    const syncs = log.startGroup();
    const { disk, plan, isCalm } = this.#world;
    const spread = disk.next();
    const isSlow = spread > 0.97 && plan.faults.has('slow-disk') && !isCalm();
    this.#later(plan.syncLatency * syncs * (0.5 + spread + (isSlow ? 30 * disk.next() : 0)), () =>
      this.#writeDone(log),
    );
  }

  #writeDone(log: SimulatedLog): void {
    if (this.isSyncFailing) {
      // Nobody knows what is on the disk now: the process must end.
      this.#world.trace(this, () => 'sync fails');
      this.#die();
      return;
    }
    const crash = this.crashAfterWrite;
    if (crash === 'before-answer') this.core = undefined;
    log.completeGroup();
    if (crash !== 'before-answer') this.settle();
    if (crash !== undefined) this.#die();
  }

  #die(): void {
    this.crash();
    this.onDeath?.();
  }

  #deliver(responses: readonly Message[]): void {
    for (const response of responses) {
      if (this.core === undefined) return;
      if (response.to === this.id) this.core.step(response);
      else this.#world.send(this, response);
    }
  }

  #startApply(): void {
    if (this.#isApplying || this.#applies.length === 0) return;
    const { schedule } = this.#world;
    this.#isApplying = true;
    const spread = schedule.next();
    this.#later(spread > 0.95 ? 20_000 * schedule.next() : 100 * spread, () => {
      this.#isApplying = false;
      const message = this.#applies.shift();
      if (message !== undefined) {
        this.#state.apply(message.entries, this.core);
        this.#deliver(message.responses);
      }
      this.settle();
    });
  }

  #snapshotIfDue(): void {
    const { log } = this;
    const { snapshotEntries, trailingEntries } = this.#world.plan;
    if (log === undefined || this.core === undefined) return;
    const { index } = log.snapshot().metadata;
    if (this.applied - index >= snapshotEntries || this.core.wantsSnapshot)
      this.#makeSnapshot(this.#world.schedule.below(3000));
    log.compact(index - trailingEntries);
  }

  #makeSnapshot(delay: Micros): void {
    const { log } = this;
    if (log === undefined || this.core === undefined || this.isDiskFull || this.#isMakingSnapshot) return;
    // In the middle of a page the state machine of raft still needs entries that are applied already.
    if (this.applied <= log.snapshot().metadata.index || this.core.appliedIndex !== this.applied) return;
    const term = log.term(this.applied);
    if (typeof term === 'string') return;
    const confState = this.#state.confState ?? this.core.confState;
    const metadata = { index: this.applied, term, confState };
    const data = this.application.snapshot();
    this.#isMakingSnapshot = true;
    this.#later(delay, () => {
      this.#isMakingSnapshot = false;
      log.createSnapshot(metadata, data);
      this.settle();
    });
  }

  /** Runs in this life, when the process is not standing still. */
  #later(delay: Micros, run: () => void): void {
    const life = this.#life;
    const { queue } = this.#world;
    queue.after(delay, () => {
      if (life !== this.#life) return;
      if (this.isPaused) this.#later(this.#pausedUntil - queue.now, run);
      else run();
    });
  }

  #fail(text: string): never {
    throw new SafetyViolation(`node ${this.id}: ${text}`);
  }
}

/** What a node has applied: the application, the configuration, and the reads that wait for more. The ledger judges each step. */
import { EntryType } from '../../types.ts';
import type { ConfState, Entry, PeerId, Snapshot } from '../../types.ts';
import { decodeConfChange } from '../../codec/conf-change-codec.ts';
import type { RawNode } from '../../raw-node.ts';
import type { ReadState } from '../../read-only.ts';
import { Application, decodeCommand } from './application.ts';
import type { Command } from './application.ts';
import { SafetyViolation } from './ledger.ts';
import type { Ledger } from './ledger.ts';

export interface AppliedStateEvents {
  readonly applied: (command: Command) => void;
  readonly readable: (read: ReadState) => void;
}

export class AppliedState {
  readonly #id: PeerId;
  readonly #ledger: Ledger;
  readonly #events: AppliedStateEvents;
  /** Of the last entry applied. */
  index = 0;
  application = new Application();
  /** The newest configuration applied; undefined while it is the one the node began with. */
  confState: ConfState | undefined;
  #reads: ReadState[] = [];

  constructor(id: PeerId, ledger: Ledger, events: AppliedStateEvents) {
    this.#id = id;
    this.#ledger = ledger;
    this.#events = events;
  }

  /** Begins anew, as a process does: with what a snapshot says, and nobody waiting. */
  begin(snapshot: Snapshot): void {
    this.#reads = [];
    this.#load(snapshot);
  }

  /** Takes over the snapshot of a peer, unless it is older than what is here. */
  restore(snapshot: Snapshot): void {
    if (snapshot.metadata.index > this.index) this.#load(snapshot);
  }

  apply(entries: readonly Entry[], core: RawNode | undefined): void {
    for (const entry of entries) {
      // A snapshot may have overtaken entries that were already handed out.
      if (entry.index <= this.index) continue;
      if (entry.index !== this.index + 1) this.#fail(`applies ${entry.index} after ${this.index}`);
      this.application.state = this.#ledger.apply(this.#id, core?.term ?? 0, this.application.state, entry);
      this.index = entry.index;
      if (entry.type !== EntryType.Normal) {
        this.#reconfigure(entry, core);
        continue;
      }
      const command = decodeCommand(entry);
      if (command === undefined) continue;
      this.application.apply(command);
      this.#events.applied(command);
    }
    this.answerReads();
  }

  expectReads(reads: readonly ReadState[]): void {
    this.#reads.push(...reads);
  }

  answerReads(): void {
    if (this.#reads.length === 0) return;
    const due = this.#reads.filter(({ index }) => index <= this.index);
    if (due.length === 0) return;
    this.#reads = this.#reads.filter(({ index }) => index > this.index);
    for (const read of due) this.#events.readable(read);
  }

  #reconfigure(entry: Entry, core: RawNode | undefined): void {
    const decoded = decodeConfChange(entry.type, entry.data);
    if (!decoded.ok) this.#fail(`entry ${entry.index}: ${decoded.error}`);
    else this.confState = core?.applyConfChange(decoded.value, entry.index);
    if (this.confState !== undefined) this.#ledger.configure(this.#id, entry.index, this.confState);
  }

  #load({ data, metadata }: Snapshot): void {
    const { index, confState } = metadata;
    this.index = index;
    this.application = new Application();
    this.confState = index === 0 ? undefined : confState;
    if (index === 0) return;
    this.application.restore(data);
    if (this.application.state !== this.#ledger.state(index))
      this.#fail(`snapshot at ${index} differs from the state applied there`);
    this.#ledger.checkConfiguration(this.#id, index, confState);
  }

  #fail(text: string): never {
    throw new SafetyViolation(`node ${this.#id}: ${text}`);
  }
}

/** One node for directed tests: started from any log, its storage in memory, its work done on request. */
import { RawNode } from '../../src/raw-node.ts';
import type { RaftConfig } from '../../src/config.ts';
import { decodeConfChange } from '../../src/codec/conf-change-codec.ts';
import type { Raft } from '../../src/machine/raft.ts';
import { MemoryStorage } from '../../src/memory-storage.ts';
import { newMessage } from '../../src/messages.ts';
import type { ReadState } from '../../src/read-only.ts';
import type { StepRefusal } from '../../src/refusal.ts';
import type { InitialState } from '../../src/storage.ts';
import { EMPTY_CONF_STATE } from '../../src/storage.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import { EntryType } from '../../src/types.ts';
import type { ConfState, Entry, Message, MessageType, PeerId, Snapshot } from '../../src/types.ts';

export const ELECTION_TICKS = 10;
/** More work in a row than any test gives a node. */
const MAX_ROUNDS = 1_000;

const encoder = new TextEncoder();

export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** Entries of the given terms, from an index on. */
export function entries(terms: readonly number[], first = 1): readonly Entry[] {
  return terms.map((term, i) => ({ type: EntryType.Normal, term, index: first + i, data: bytes('') }));
}

/** `term/index` of each entry. */
export function places(list: readonly Entry[]): readonly string[] {
  return list.map(({ term, index }) => `${term}/${index}`);
}

export function config(fields: Partial<ConfState>): ConfState {
  return { ...EMPTY_CONF_STATE, ...fields };
}

/** A storage that starts with a configuration, as if it had always had it. */
class TestStorage extends MemoryStorage {
  readonly #start: ConfState;

  constructor(start: ConfState) {
    super();
    this.#start = start;
  }

  override initialState(): InitialState {
    const { hardState, confState } = super.initialState();
    return { hardState, confState: confState.voters.length > 0 ? confState : this.#start };
  }
}

export interface NodeSettings extends Partial<Omit<RaftConfig, 'storage'>> {
  readonly voters?: readonly PeerId[];
  readonly learners?: readonly PeerId[];
  readonly conf?: ConfState;
  /** Terms of the entries in the log, from index 1. */
  readonly log?: readonly number[];
  readonly term?: number;
  readonly vote?: PeerId;
  readonly commit?: number;
  /** Prepares the storage further. */
  readonly prepare?: (storage: MemoryStorage) => void;
}

/** What a node did since it was last asked. */
export interface Work {
  readonly messages: readonly Message[];
  readonly applied: readonly Entry[];
  readonly reads: readonly ReadState[];
}

export class TestNode extends RawNode {
  readonly storage: MemoryStorage;
  /** Everything applied since the start. */
  readonly applied: Entry[] = [];

  constructor(settings: RaftConfig & { readonly storage: MemoryStorage }) {
    super(settings);
    this.storage = settings.storage;
  }

  get inside(): Raft {
    return this.raft;
  }

  /** Does all work there is (without async storage writes): writes, applies, and hands out what is to be sent. */
  work(): Work {
    const messages: Message[] = [];
    const applied: Entry[] = [];
    const reads: ReadState[] = [];
    for (let rounds = 0; this.hasReady(); rounds++) {
      if (rounds > MAX_ROUNDS) throw new Error(`node ${this.id} does not come to rest`);
      const ready = this.ready();
      if (ready.hardState !== undefined) this.storage.setHardState(ready.hardState);
      if (ready.snapshot !== undefined) this.storage.applySnapshot(ready.snapshot);
      this.storage.append(ready.entries);
      messages.push(...ready.messages);
      reads.push(...ready.readStates);
      for (const entry of ready.committedEntries) {
        applied.push(entry);
        if (entry.type === EntryType.Normal) continue;
        const change = decodeConfChange(entry.type, entry.data);
        if (change.ok) this.applyConfChange(change.value, entry.index);
      }
      this.advance();
    }
    this.applied.push(...applied);
    return { messages, applied, reads };
  }

  /** The messages of `work`. */
  send(): readonly Message[] {
    return this.work().messages;
  }

  /** Steps a message to this node in its current term, unless another is given, and does the work. */
  receive(type: MessageType, from: PeerId, fields: Partial<Message> = {}): readonly Message[] {
    this.take(type, from, fields);
    return this.send();
  }

  /** Steps a message without doing the work. */
  take(type: MessageType, from: PeerId, fields: Partial<Message> = {}): StepRefusal | undefined {
    return this.step(newMessage({ type, from, to: this.id, term: this.term, ...fields }));
  }

  ticks(count: number): void {
    for (let i = 0; i < count; i++) this.tick();
  }

  /** Terms of the whole log. */
  logTerms(): readonly number[] {
    const { log } = this.inside;
    const terms: number[] = [];
    for (let i = log.firstIndex(); i <= log.lastIndex(); i++) terms.push(log.termOrZero(i));
    return terms;
  }
}

/** Node 1 of voters 1, 2, 3 with an empty log, unless told otherwise. */
export function aNode(settings: NodeSettings = {}): TestNode {
  const { voters, learners, conf, log, term, vote, commit, prepare, ...rest } = settings;
  const storage = new TestStorage(conf ?? config({ voters: voters ?? ['1', '2', '3'], learners: learners ?? [] }));
  prepare?.(storage);
  storage.append(entries(log ?? []));
  const before = storage.initialState().hardState;
  if (term !== undefined || vote !== undefined || commit !== undefined) {
    storage.setHardState({ term: term ?? before.term, vote: vote ?? '0', commit: commit ?? before.commit });
  }
  const random = new SeededRandom(Number(rest.id ?? 1));
  const fixed = { id: '1', electionTicks: ELECTION_TICKS, heartbeatTicks: 1, random: () => random.next() };
  return new TestNode({ ...fixed, ...rest, storage });
}

/** A node that has just been elected in the term after that of its settings, its empty entry written. */
export function aLeader(settings: NodeSettings = {}): TestNode {
  const node = aNode(settings);
  node.campaign();
  node.send();
  for (const id of node.inside.tracker.voterIds) {
    if (id === node.id || node.role === 'leader') continue;
    const type = node.role === 'pre-candidate' ? 18 : 6;
    node.take(type, id, { term: node.role === 'pre-candidate' ? node.term + 1 : node.term });
    node.send();
    if (type === 18 && node.role === 'candidate') node.take(6, id);
    node.send();
  }
  if (node.role !== 'leader') throw new Error('not elected');
  return node;
}

/** A node in each role, at term 1 (the pre-candidate stays there, the others got there). */
export function inEachRole(): readonly (readonly [string, TestNode])[] {
  const follower = aNode({ term: 1 });
  const candidate = aNode();
  candidate.campaign();
  candidate.send();
  const preCandidate = aNode({ term: 1, preVote: true });
  preCandidate.campaign();
  preCandidate.send();
  return [
    ['follower', follower],
    ['candidate', candidate],
    ['pre-candidate', preCandidate],
    ['leader', aLeader()],
  ];
}

/** A snapshot of the members 1, 2 and 3. */
export function snapshotAt(index: number, term = 1): Snapshot {
  return { data: bytes('state'), metadata: { index, term, confState: config({ voters: ['1', '2', '3'] }) } };
}

import type { ConfState, Entry, EntryType, HardState, PeerId } from '../types.ts';
import { ByteReader, readU64, textSize, viewOf } from './bytes.ts';
import type { ByteWriter } from './bytes.ts';

/**
 * Contents of the log's records. Every encoder gives the exact size first, so that a whole batch is one allocation.
 */

/** A run of consecutive entries; `prevTerm` is the term of the entry before the first. */
export interface EntriesPayload {
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
}

const ENTRIES_HEAD = 20;
const ENTRY_HEAD = 13;

/** Bytes one entry takes inside an entries record. */
export function entrySize(entry: Entry): number {
  return ENTRY_HEAD + entry.data.length;
}

export function entriesSize(entries: readonly Entry[]): number {
  let size = ENTRIES_HEAD;
  for (const entry of entries) size += entrySize(entry);
  return size;
}

/** Entries must be consecutive and not empty. */
export function writeEntries(writer: ByteWriter, prevTerm: number, entries: readonly Entry[]): void {
  writer.u64(entries[0]?.index ?? 0);
  writer.u64(prevTerm);
  writer.u32(entries.length);
  for (const entry of entries) {
    writer.u8(entry.type);
    writer.u64(entry.term);
    writer.u32(entry.data.length);
    writer.raw(entry.data);
  }
}

/** Entry data are views into `payload`. Throws RangeError if the payload is malformed. */
export function readEntries(payload: Uint8Array): EntriesPayload {
  const entries: Entry[] = [];
  const { prevTerm } = walkEntries(payload, (type, term, index, start, end) => {
    entries.push({ type, term, index, data: payload.subarray(start, end) });
  });
  return { prevTerm, entries };
}

/** What a run of entries says of the log: everything but the entries themselves. */
export interface EntriesOutline {
  readonly prevTerm: number;
  readonly first: number;
  readonly count: number;
  /** Where terms begin, in order; the first one at `first`. */
  readonly terms: readonly TermStart[];
}

export interface TermStart {
  readonly first: number;
  readonly term: number;
}

/** As {@link readEntries}, with every check, but makes nothing of the single entries: a log may have millions. */
export function outlineEntries(payload: Uint8Array): EntriesOutline {
  const terms: TermStart[] = [];
  let last = -1;
  const head = walkEntries(payload, (_, term, index) => {
    if (term !== last) terms.push({ first: index, term });
    last = term;
  });
  return { ...head, terms };
}

/** Calls `visit` with each entry and the bounds of its data. Throws RangeError if the payload is malformed. */
function walkEntries(
  payload: Uint8Array,
  visit: (type: EntryType, term: number, index: number, start: number, end: number) => void,
): { readonly prevTerm: number; readonly first: number; readonly count: number } {
  const view = viewOf(payload);
  const first = readU64(view, 0);
  const prevTerm = readU64(view, 8);
  const count = view.getUint32(16, true);
  let offset = ENTRIES_HEAD;
  for (let i = 0; i < count; i++) {
    const start = offset + ENTRY_HEAD;
    const type = entryType(view.getUint8(offset));
    const term = readU64(view, offset + 1);
    offset = start + view.getUint32(offset + 9, true);
    if (offset > payload.length) throw new RangeError('bytes end early');
    visit(type, term, first + i, start, offset);
  }
  if (count === 0 || offset !== payload.length) throw new RangeError('malformed entries');
  return { prevTerm, first, count };
}

function entryType(value: number): EntryType {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new RangeError(`unknown entry type ${String(value)}`);
}

export function hardStateSize(state: HardState): number {
  return 16 + textSize(state.vote);
}

export function writeHardState(writer: ByteWriter, state: HardState): void {
  writer.u64(state.term);
  writer.u64(state.commit);
  writer.text(state.vote);
}

export function readHardState(payload: Uint8Array): HardState {
  const reader = new ByteReader(payload);
  const term = reader.u64();
  const commit = reader.u64();
  return { term, vote: reader.text(), commit };
}

export function confStateSize(state: ConfState): number {
  let size = 1;
  for (const ids of idLists(state)) {
    size += 4;
    for (const id of ids) size += textSize(id);
  }
  return size;
}

export function writeConfState(writer: ByteWriter, state: ConfState): void {
  writer.u8(state.autoLeave ? 1 : 0);
  for (const ids of idLists(state)) {
    writer.u32(ids.length);
    for (const id of ids) writer.text(id);
  }
}

export function readConfState(payload: Uint8Array): ConfState {
  return confStateFrom(new ByteReader(payload));
}

function confStateFrom(reader: ByteReader): ConfState {
  const autoLeave = reader.u8() === 1;
  const list = (): PeerId[] => Array.from({ length: reader.u32() }, () => reader.text());
  return { voters: list(), learners: list(), votersOutgoing: list(), learnersNext: list(), autoLeave };
}

function idLists(state: ConfState): readonly (readonly PeerId[])[] {
  return [state.voters, state.learners, state.votersOutgoing, state.learnersNext];
}

/**
 * A snapshot the log relies on. `reset`: the snapshot came from a peer and replaces the whole log;
 * otherwise it is the node's own and entries around it stay.
 */
export interface SnapshotMark {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  readonly reset: boolean;
}

export function snapshotMarkSize(mark: SnapshotMark): number {
  return 17 + confStateSize(mark.confState);
}

export function writeSnapshotMark(writer: ByteWriter, mark: SnapshotMark): void {
  writer.u64(mark.index);
  writer.u64(mark.term);
  writer.u8(mark.reset ? 1 : 0);
  writeConfState(writer, mark.confState);
}

export function readSnapshotMark(payload: Uint8Array): SnapshotMark {
  const reader = new ByteReader(payload);
  const index = reader.u64();
  const term = reader.u64();
  const reset = reader.u8() === 1;
  return { index, term, reset, confState: confStateFrom(reader) };
}

/** Drops every entry from index `from` on; `prevTerm` is the term of the entry before it, the new last one. */
export interface Truncation {
  readonly from: number;
  readonly prevTerm: number;
}

export const TRUNCATION_SIZE = 16;

export function writeTruncation(writer: ByteWriter, truncation: Truncation): void {
  writer.u64(truncation.from);
  writer.u64(truncation.prevTerm);
}

export function readTruncation(payload: Uint8Array): Truncation {
  const reader = new ByteReader(payload);
  return { from: reader.u64(), prevTerm: reader.u64() };
}

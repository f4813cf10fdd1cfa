import type { ConfState, Entry, EntryType, HardState, PeerId } from '../types.ts';
import { ByteReader, textSize } from './bytes.ts';
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
  const reader = new ByteReader(payload);
  const first = reader.u64();
  const prevTerm = reader.u64();
  const count = reader.u32();
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const type = entryType(reader.u8());
    const term = reader.u64();
    entries.push({ type, term, index: first + i, data: reader.raw(reader.u32()) });
  }
  if (count === 0 || reader.offset !== payload.length) throw new RangeError('malformed entries');
  return { prevTerm, entries };
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

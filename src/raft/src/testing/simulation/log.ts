/**
 * The durable log of a simulated node: the real bounds, batches, segments and recovery over a simulated disk. Only the thread that writes is
 * replaced, by {@link startGroup} and {@link completeGroup}, between which time passes.
 */
import { crc32 } from 'node:zlib';
import { encodeBatch } from '../../log/batch.ts';
import { planBatch } from '../../log/batch-plan.ts';
import { LogCorruptError } from '../../log/errors.ts';
import type { LogKeys } from '../../log/keys.ts';
import type { LogBatch } from '../../log/log-store.ts';
import type { LogView } from '../../log/log-view.ts';
import type { SnapshotMark } from '../../log/payloads.ts';
import { PendingBatches } from '../../log/pending-batches.ts';
import { recoverLog } from '../../log/recovery.ts';
import { WATERMARK_FILE } from '../../log/segment-files.ts';
import { SegmentWriter } from '../../log/segment-writer.ts';
import { snapshotFileName } from '../../log/snapshot-format.ts';
import { encodeWatermark } from '../../log/watermark.ts';
import { checkSnapshotsExist } from '../../log/log-directory.ts';
import { limitBytes } from '../../entry-size.ts';
import { EMPTY_CONF_STATE, EMPTY_SNAPSHOT } from '../../storage.ts';
import type { InitialState, Storage, StorageError } from '../../storage.ts';
import type { Entry, PeerId, Snapshot, SnapshotMetadata } from '../../types.ts';
import type { SeededRandom } from '../random.ts';
import type { SimulatedDisk } from './disk.ts';

const SEGMENT_BYTES = 8 * 1024;
const GROUP_BYTES = SEGMENT_BYTES / 4;
const SPARE = 'spare';

/** What the batches that are durable amount to, noted when they were appended: the promise a restart has to keep. */
export interface Promised {
  readonly term: number;
  readonly vote: PeerId;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly snapshotIndex: number;
}

const NOTHING_PROMISED: Promised = { term: 0, vote: '0', lastIndex: 0, lastTerm: 0, snapshotIndex: 0 };

interface Queued {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly nextIndex: number;
  readonly promised: Promised;
}

/** The part of a segment that a group takes. */
interface GroupPlace {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export class SimulatedLog implements Storage {
  readonly #disk: SimulatedDisk;
  readonly #view: LogView;
  readonly #writer: SegmentWriter;
  readonly #pending: PendingBatches;
  readonly #segments = new Map<number, string>();
  #queue: Queued[] = [];
  #writing: readonly Queued[] = [];
  /** Where what is being written belongs. */
  #place: GroupPlace | undefined;
  #lastId = 0;
  #lazyHardState = false;
  /** A first segment is on the disk. */
  #isBegun: boolean;
  #published: Snapshot;
  /** Durable for certain. */
  promised: Promised;
  /** Places of the groups that became durable since the start, newest last. */
  readonly groups: GroupPlace[] = [];

  /** Opens what is on the disk; throws LogCorruptError as the real log does, or if the disk broke a promise. */
  constructor(id: PeerId, disk: SimulatedDisk, random: SeededRandom, keys: LogKeys | undefined) {
    this.#disk = disk;
    const identity = { directory: '', clusterId: 'simulated', nodeId: id, segmentBytes: SEGMENT_BYTES, files: disk };
    const recovered = recoverLog({ ...identity, keys, cacheBytes: Infinity, keepEntries: true });
    checkSnapshotsExist(disk.list(), recovered);
    const { view, segments, tail, standing } = recovered;
    this.#view = view;
    const randomBytes = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => random.below(256));
    this.#writer = new SegmentWriter({ ...identity, randomBytes }, keys, tail, standing);
    this.#pending = new PendingBatches(view);
    for (const { segment, file } of segments) this.#segments.set(segment, file);
    this.#isBegun = tail !== undefined;
    this.#published = readSnapshot(disk, view.mark);
    this.promised = this.#promise();
    for (const file of disk.list()) {
      if (file.endsWith('.snap') && file !== nameOf(this.#published.metadata)) disk.remove(file);
    }
    disk.syncDirectory();
  }

  /** Something waits to be written. */
  get hasWork(): boolean {
    return this.#queue.length > 0;
  }

  /** What a restart may find: what is durable for certain, or that and the group under way, which is written as a whole or not at all. */
  get promises(): readonly Promised[] {
    const underWay = this.#writing.at(-1);
    return underWay === undefined ? [this.promised] : [this.promised, underWay.promised];
  }

  get isWriting(): boolean {
    return this.#writing.length > 0;
  }

  /** Files of segments that are complete, oldest first. */
  get sealedSegments(): readonly string[] {
    return [...this.#segments.values()].slice(0, -1);
  }

  /** Terms and bounds of what is durable or on its way. */
  get view(): LogView {
    return this.#view;
  }

  initialState(): InitialState {
    return { hardState: this.#view.hardState, confState: this.#view.confState ?? EMPTY_CONF_STATE };
  }

  entries(lo: number, hi: number, maxBytes: number): readonly Entry[] | StorageError {
    if (lo <= this.#view.base.index) return 'compacted';
    const found: Entry[] = [];
    for (let index = lo; index < hi; index++) {
      const entry = this.#view.cache.get(index);
      if (entry === undefined) throw new Error(`entry ${String(index)} is not in memory`);
      found.push(entry);
    }
    return limitBytes(found, maxBytes);
  }

  term(index: number): number | StorageError {
    if (index < this.#view.base.index) return 'compacted';
    return this.#view.termAt(index) ?? 'unavailable';
  }

  firstIndex(): number {
    return this.#view.base.index + 1;
  }

  lastIndex(): number {
    return this.#view.lastIndex;
  }

  snapshot(): Snapshot {
    return this.#published;
  }

  /** As DurableLog does it: readable at once, `done` when it is durable. A snapshot from a peer must have been received. */
  append(batch: LogBatch, done: () => void): void {
    const { snapshot } = batch;
    this.#write(batch, undefined, () => {
      if (snapshot !== undefined) this.#publish(snapshot);
      done();
    });
  }

  /** Keeps the content of a snapshot from a peer; `done` when it is durable and its message may be handed to the node. */
  receive(snapshot: Snapshot, done: () => void): void {
    const keep = (): void => {
      this.#disk.create(nameOf(snapshot.metadata), withChecksum(snapshot.data));
      done();
    };
    if (this.#isBegun) keep();
    else this.#write({ sync: true }, undefined, keep);
  }

  /** A snapshot of the node's own. Ignored if a newer one came first. */
  createSnapshot(metadata: SnapshotMetadata, data: Uint8Array): void {
    if (this.#view.mark.index >= metadata.index || this.#view.termAt(metadata.index) !== metadata.term) return;
    const snapshot = { data, metadata };
    this.#disk.create(nameOf(metadata), withChecksum(data));
    this.#write({ sync: true }, { ...metadata, reset: false }, () => this.#publish(snapshot));
  }

  compact(index: number): void {
    const view = this.#view;
    const until = Math.min(index, this.#published.metadata.index);
    if (until <= view.base.index || this.isWriting) return;
    view.compact(until);
    const newest = Math.max(...this.#segments.keys());
    const needed = view.sparse.find(until + 1)?.point.place.segment ?? newest;
    for (const [segment, file] of this.#segments) {
      if (segment >= needed) continue;
      this.#segments.delete(segment);
      // Oldest first and one after the other, as the real log does it, so that a crash leaves no gap.
      this.#disk.remove(file);
      this.#disk.syncDirectory();
    }
  }

  /** Hands the next group to the disk; the number of syncs it takes. */
  startGroup(): number {
    const group = this.#nextGroup();
    const batches = group.map(({ bytes }) => bytes);
    const first = group[0] as Queued;
    this.#writing = group;
    this.#disk.begin();
    if (this.#writer.needsSegment(batches)) {
      this.#disk.create(SPARE, new Uint8Array(SEGMENT_BYTES));
      const begun = this.#writer.beginSegment(SPARE, first.nextIndex);
      this.#segments.set(begun.segment, begun.file);
    }
    const { places, bytes } = this.#writer.writeGroup(batches);
    this.#pending.place((group.at(-1) as Queued).id, places);
    this.#place = { file: [...this.#segments.values()].at(-1) ?? '', offset: places[0]?.offset ?? -1, bytes };
    return this.#disk.syncsUnderWay;
  }

  /** The group is durable: calls back. */
  completeGroup(): void {
    const last = this.#writing.at(-1) as Queued;
    this.#disk.complete();
    this.#writing = [];
    this.#isBegun = true;
    if (this.#place !== undefined) this.groups.push(this.#place);
    this.promised = last.promised;
    this.#disk.scribble(WATERMARK_FILE, encodeWatermark(this.#writer.sequence));
    this.#pending.finish(last.id, () => false);
  }

  /** Calls back batches that have nothing to write, once those before them are durable. */
  finishIdle(): void {
    if (this.#queue.length === 0 && this.#writing.length === 0 && this.#pending.size > 0) {
      this.#pending.finish(this.#lastId, () => false);
    }
  }

  /** A commit index that was not written yet is written now; see DurableLog. */
  flushLazy(): void {
    if (this.#lazyHardState) this.#write({ sync: true }, undefined, () => undefined);
  }

  #write(batch: LogBatch, mark: SnapshotMark | undefined, done: () => void): void {
    const { content, mustSync, hasNewHardState } = planBatch(this.#view, batch, mark);
    if (!mustSync) {
      this.#lazyHardState ||= hasNewHardState;
      this.#pending.add({ id: 0, commit: 0, runs: [], truncateFrom: undefined, isReset: false, done });
      return;
    }
    const { hardState, lastIndex } = this.#view;
    const { bytes, runs } = encodeBatch(this.#lazyHardState ? { ...content, hardState } : content);
    this.#lazyHardState = false;
    const id = ++this.#lastId;
    const isReset = content.resetMark !== undefined;
    this.#pending.add({ id, commit: hardState.commit, runs, truncateFrom: batch.truncateFrom, isReset, done });
    this.#queue.push({ id, bytes, nextIndex: runs[0]?.first ?? lastIndex + 1, promised: this.#promise() });
  }

  #promise(): Promised {
    const { hardState, lastIndex, mark } = this.#view;
    if (lastIndex === 0 && hardState.term === 0) return NOTHING_PROMISED;
    const { term, vote } = hardState;
    return { term, vote, lastIndex, lastTerm: this.#view.termAt(lastIndex) ?? 0, snapshotIndex: mark.index };
  }

  #nextGroup(): Queued[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: batch } of this.#queue) {
      if (count > 0 && bytes + batch.length > GROUP_BYTES) break;
      bytes += batch.length;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #publish(snapshot: Snapshot): void {
    if (snapshot.metadata.index <= this.#published.metadata.index) return;
    const previous = nameOf(this.#published.metadata);
    this.#published = snapshot;
    if (this.#disk.has(previous)) this.#disk.remove(previous);
  }
}

/** Whether what was found on the disk keeps one of the promises; the text says what is missing of the first. */
export function brokenPromise(promises: readonly Promised[], log: SimulatedLog): string | undefined {
  const missing = promises.map((promised) => missingOf(promised, log));
  return missing.includes(undefined) ? undefined : missing[0];
}

function missingOf(promised: Promised, log: SimulatedLog): string | undefined {
  const { hardState, lastIndex, base, mark } = log.view;
  const { term, vote } = promised;
  if (hardState.term < term) return `term ${String(term)} was durable, ${String(hardState.term)} is found`;
  if (hardState.term === term && vote !== '0' && hardState.vote !== vote)
    return `a vote for ${vote} was durable, ${hardState.vote} is found`;
  if (mark.index < promised.snapshotIndex)
    return `snapshot ${String(promised.snapshotIndex)} was durable, ${String(mark.index)} is found`;
  if (promised.lastIndex <= base.index || log.view.termAt(promised.lastIndex) === promised.lastTerm) return undefined;
  return `entry ${String(promised.lastIndex)} of term ${String(promised.lastTerm)} was durable, the log found ends at ${String(lastIndex)}`;
}

function nameOf({ index, term }: SnapshotMetadata): string {
  return snapshotFileName(index, term);
}

function withChecksum(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + data.length);
  bytes.set(data, 4);
  new DataView(bytes.buffer).setUint32(0, crc32(data, 1));
  return bytes;
}

function readSnapshot(disk: SimulatedDisk, mark: SnapshotMark): Snapshot {
  if (mark.index === 0) return EMPTY_SNAPSHOT;
  const file = nameOf(mark);
  const bytes = disk.read(file);
  const data = bytes.subarray(4);
  if (bytes.length < 4 || crc32(data, 1) !== new DataView(bytes.buffer).getUint32(0))
    throw new LogCorruptError({ file, offset: 0 }, 'the snapshot is damaged');
  const { index, term, confState } = mark;
  return { data, metadata: { index, term, confState } };
}

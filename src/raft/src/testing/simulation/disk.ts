/**
 * A disk that forgets. A write is durable after a sync of its file, a name (new, changed or removed) after a sync of the directory. A crash
 * keeps, drops or tears each write that was not synced, sector by sector, and each change of a name.
 */
import { basename } from 'node:path';
import type { LogFiles } from '../../log/log-files.ts';
import type { SeededRandom } from '../random.ts';

export const SECTOR_BYTES = 512;

/** Thrown by operations of a disk that was told to fail after some of them. */
export class DiskCrash extends Error {
  override readonly name = 'DiskCrash';
}

interface File {
  /** As it is on the disk; what was written since is in `writes`. */
  bytes: Uint8Array;
  writes: { readonly offset: number; readonly data: Uint8Array }[];
}

/** Names that change together: to a file, or to nothing. */
type NameChange = readonly (readonly [name: string, file: File | undefined])[];

type Operation =
  | { readonly kind: 'write'; readonly file: File; readonly offset: number; readonly data: Uint8Array }
  | { readonly kind: 'sync'; readonly file: File }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'sync-directory' };

export class SimulatedDisk implements LogFiles {
  /** Names as the process sees them, and as they are on the disk. */
  readonly #names = new Map<string, File>();
  readonly #durableNames = new Map<string, File>();
  #nameChanges: NameChange[] = [];
  readonly #open: (File | undefined)[] = [];
  /** Operations under way, while {@link begin} has been called and {@link complete} has not. */
  #underWay: Operation[] | undefined;
  /** Operations until every further one throws {@link DiskCrash}. */
  #operationsLeft = Infinity;

  /** Number of syncs among the operations under way. */
  get syncsUnderWay(): number {
    return this.#underWay?.filter(({ kind }) => kind === 'sync' || kind === 'sync-directory').length ?? 0;
  }

  /** From now on operations take time: they have happened when {@link complete} is called, or some of them when it crashes before. */
  begin(): void {
    if (this.#underWay !== undefined) throw new Error('the disk is busy');
    this.#underWay = [];
  }

  complete(): void {
    const operations = this.#underWay ?? [];
    this.#underWay = undefined;
    for (const operation of operations) this.#perform(operation);
  }

  /** The operation after the next `count` ones is interrupted: it may have happened, and everything after it throws. */
  crashAfter(count: number): void {
    this.#operationsLeft = count;
  }

  /** The power goes: only what is durable stays for certain. */
  crash(random: SeededRandom): void {
    const operations = this.#underWay ?? [];
    this.#underWay = undefined;
    this.#operationsLeft = Infinity;
    const done = random.below(operations.length + 1);
    for (const operation of operations.slice(0, done)) this.#perform(operation);
    const interrupted = operations[done];
    if (interrupted?.kind === 'write') this.#perform(interrupted);
    for (const change of this.#nameChanges) {
      if (random.chance(0.5)) this.#setDurable(change);
    }
    this.#nameChanges = [];
    for (const file of new Set([...this.#names.values(), ...this.#durableNames.values()])) loseWrites(file, random);
    this.#names.clear();
    for (const [name, file] of this.#durableNames) this.#names.set(name, file);
    this.#open.length = 0;
  }

  /** Puts a durable file there at once. */
  create(name: string, bytes: Uint8Array): void {
    const file: File = { bytes, writes: [] };
    this.#names.set(name, file);
    this.#durableNames.set(name, file);
  }

  /** Writes a file without ever syncing it. */
  scribble(name: string, data: Uint8Array): void {
    let file = this.#names.get(name);
    if (file === undefined) {
      file = { bytes: new Uint8Array(0), writes: [] };
      this.#names.set(name, file);
      this.#nameChanges.push([[name, file]]);
    }
    file.writes = [{ offset: 0, data }];
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Changes what is on the disk behind everybody's back; undefined removes the file. */
  damage(name: string, change: (bytes: Uint8Array) => Uint8Array | undefined): void {
    const file = this.#durableNames.get(name);
    if (file === undefined) return;
    const bytes = change(file.bytes);
    if (bytes !== undefined) {
      file.bytes = bytes;
      return;
    }
    this.#durableNames.delete(name);
    this.#names.delete(name);
  }

  list(): readonly string[] {
    return [...this.#names.keys()];
  }

  read(path: string): Uint8Array {
    const file = this.#find(basename(path));
    if (file.writes.length > 0) throw new Error(`${path} is read before it is durable`);
    return file.bytes.slice();
  }

  open(path: string): number {
    this.#open.push(this.#find(basename(path)));
    return this.#open.length - 1;
  }

  write(fd: number, bytes: Uint8Array, offset: number): void {
    this.#do({ kind: 'write', file: this.#opened(fd), offset, data: bytes.slice() });
  }

  truncate(fd: number, size: number): void {
    const file = this.#opened(fd);
    const bytes = new Uint8Array(size);
    bytes.set(file.bytes.subarray(0, size));
    file.bytes = bytes;
  }

  sync(fd: number): void {
    this.#do({ kind: 'sync', file: this.#opened(fd) });
  }

  close(fd: number): void {
    this.#open[fd] = undefined;
  }

  rename(from: string, to: string): void {
    this.#do({ kind: 'rename', from: basename(from), to: basename(to) });
  }

  remove(path: string): void {
    this.#do({ kind: 'remove', name: basename(path) });
  }

  syncDirectory(): void {
    this.#do({ kind: 'sync-directory' });
  }

  #do(operation: Operation): void {
    if (this.#operationsLeft < 0) throw new DiskCrash();
    this.#operationsLeft--;
    const isCrash = this.#operationsLeft < 0;
    const isLost = isCrash && (operation.kind === 'sync' || operation.kind === 'sync-directory');
    if (this.#underWay !== undefined) this.#underWay.push(operation);
    else if (!isLost) this.#perform(operation);
    if (isCrash) throw new DiskCrash();
  }

  #perform(operation: Operation): void {
    switch (operation.kind) {
      case 'write':
        operation.file.writes.push({ offset: operation.offset, data: operation.data });
        break;
      case 'sync': {
        const { file } = operation;
        for (const { offset, data } of file.writes) applyWrite(file, offset, data);
        file.writes = [];
        break;
      }
      case 'rename': {
        const file = this.#find(operation.from);
        this.#names.delete(operation.from);
        this.#names.set(operation.to, file);
        this.#nameChanges.push([
          [operation.from, undefined],
          [operation.to, file],
        ]);
        break;
      }
      case 'remove':
        this.#names.delete(operation.name);
        this.#nameChanges.push([[operation.name, undefined]]);
        break;
      case 'sync-directory':
        for (const change of this.#nameChanges) this.#setDurable(change);
        this.#nameChanges = [];
    }
  }

  #setDurable(change: NameChange): void {
    for (const [name, file] of change) {
      if (file === undefined) this.#durableNames.delete(name);
      else this.#durableNames.set(name, file);
    }
  }

  #find(name: string): File {
    const renamed = this.#underWay?.findLast((each) => each.kind === 'rename' && each.to === name);
    const file = this.#names.get(renamed?.kind === 'rename' ? renamed.from : name);
    if (file === undefined) throw new Error(`there is no file ${name}`);
    return file;
  }

  #opened(fd: number): File {
    const file = this.#open[fd];
    if (file === undefined) throw new Error(`file ${String(fd)} is not open`);
    return file;
  }
}

/** Each write that was not synced is kept up to some byte, or each of its sectors is kept or dropped. */
function loseWrites(file: File, random: SeededRandom): void {
  for (const { offset, data } of file.writes) {
    const kept = random.next();
    if (kept < 0.3) {
      applyWrite(file, offset, data.subarray(0, random.below(data.length + 1)));
      continue;
    }
    for (let at = 0; at < data.length;) {
      const sectorEnd = (Math.floor((offset + at) / SECTOR_BYTES) + 1) * SECTOR_BYTES;
      const next = Math.min(data.length, sectorEnd - offset);
      if (random.chance(kept)) applyWrite(file, offset + at, data.subarray(at, next));
      at = next;
    }
  }
  file.writes = [];
}

function applyWrite(file: File, offset: number, data: Uint8Array): void {
  if (file.bytes.length < offset + data.length) {
    const longer = new Uint8Array(offset + data.length);
    longer.set(file.bytes);
    file.bytes = longer;
  }
  file.bytes.set(data, offset);
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LogFiles } from '../../src/log/log-files.ts';

/** Thrown by every operation from the crash on. */
export class Crash extends Error {}

interface File {
  bytes: Buffer;
  /** Writes since the last sync. */
  unsynced: { readonly offset: number; readonly data: Buffer }[];
}

/**
 * A disk that forgets: a write is durable after a sync of its file, a rename after a sync of the directory. A crash keeps any part of
 * what was not synced, sector by sector.
 */
export class SimulatedDisk implements LogFiles {
  readonly #random: () => number;
  /** Durable names. */
  #names = new Map<string, File>();
  #renames: { readonly from: string; readonly to: string }[] = [];
  readonly #open: File[] = [];
  /** Operations until the crash. */
  #left: number;

  constructor(random: () => number, operations: number) {
    this.#random = random;
    this.#left = operations;
  }

  /** Puts a durable file there, as the preparation of spares does. */
  create(name: string, bytes: Buffer): void {
    this.#names.set(name, { bytes, unsynced: [] });
  }

  open(path: string): number {
    const name = basename(path);
    const renamed = this.#renames.find((rename) => rename.to === name)?.from ?? name;
    const file = this.#names.get(renamed);
    if (file === undefined) throw new Error(`no file ${name}`);
    this.#open.push(file);
    return this.#open.length - 1;
  }

  write(fd: number, bytes: Uint8Array, offset: number): void {
    const isCrash = this.#count();
    const file = this.#open[fd] as File;
    file.unsynced.push({ offset, data: Buffer.from(bytes) });
    if (isCrash) throw new Crash();
  }

  sync(fd: number): void {
    if (this.#count()) throw new Crash();
    const file = this.#open[fd] as File;
    for (const write of file.unsynced) applyWrite(file, write.offset, write.data);
    file.unsynced = [];
  }

  close(): void {
    // Nothing happens to the file.
  }

  rename(from: string, to: string): void {
    this.#renames.push({ from: basename(from), to: basename(to) });
    if (this.#count()) throw new Crash();
  }

  syncDirectory(): void {
    if (this.#count()) throw new Crash();
    this.#renameAll();
  }

  /** Writes what a crash leaves into a real directory. */
  crashInto(directory: string): void {
    if (this.#random() < 0.5) this.#renameAll();
    for (const file of this.#names.values()) {
      const style = this.#random();
      for (const { offset, data } of file.unsynced) {
        if (style < 0.3) {
          applyWrite(file, offset, data.subarray(0, Math.floor(this.#random() * (data.length + 1))));
          continue;
        }
        for (let at = 0; at < data.length;) {
          const next = Math.min(data.length, (Math.floor((offset + at) / 512) + 1) * 512 - offset);
          if (this.#random() < style) applyWrite(file, offset + at, data.subarray(at, next));
          at = next;
        }
      }
    }
    mkdirSync(directory, { recursive: true });
    for (const [name, file] of this.#names) writeFileSync(join(directory, name), file.bytes);
  }

  #renameAll(): void {
    for (const { from, to } of this.#renames) {
      const file = this.#names.get(from);
      if (file === undefined) continue;
      this.#names.delete(from);
      this.#names.set(to, file);
    }
    this.#renames = [];
  }

  #count(): boolean {
    if (this.#left < 0) throw new Crash();
    this.#left--;
    return this.#left < 0;
  }
}

function applyWrite(file: File, offset: number, data: Buffer): void {
  if (file.bytes.length < offset + data.length) {
    file.bytes = Buffer.concat([file.bytes, Buffer.alloc(offset + data.length - file.bytes.length)]);
  }
  data.copy(file.bytes, offset);
}

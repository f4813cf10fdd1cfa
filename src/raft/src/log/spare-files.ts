import { rmSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from './errors.ts';
import { RESERVE_FILE, SPARE_FILE, SYNC_BYTES, TEMPORARY, syncDirectory } from './segment-files.ts';

/** The file system has no room (or the quota is used up). */
export function isOutOfSpace(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

const RETRY_MS = 500;
const ZEROS = new Uint8Array(SYNC_BYTES);

/**
 * Zero-filled files prepared in the background: the next segment, and a reserve of the same size that is used up when the disk
 * is full, so that votes and the end of a leadership can still be recorded. Neither is ever filled on the write path.
 */
export class SpareFiles {
  readonly #directory: string;
  readonly #bytes: number;
  readonly #onFull: (error: unknown) => void;
  readonly #onRoom: () => void;
  readonly #onFailure: (error: unknown) => void;
  #spare = false;
  #reserve = false;
  #full = false;
  #filling: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;
  #waiting: (() => void) | undefined;

  constructor(options: {
    readonly directory: string;
    readonly bytes: number;
    /** Called once when space runs out, and `onRoom` once when both files are there again. */
    readonly onFull: (error: unknown) => void;
    readonly onRoom: () => void;
    /** Anything but lack of space. */
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#directory = options.directory;
    this.#bytes = options.bytes;
    this.#onFull = options.onFull;
    this.#onRoom = options.onRoom;
    this.#onFailure = options.onFailure;
    // A spare may have been written to just before a crash; a reserve never is.
    rmSync(this.#path(SPARE_FILE), { force: true });
    this.#reserve = statSync(this.#path(RESERVE_FILE), { throwIfNoEntry: false })?.size === options.bytes;
  }

  /** Starts preparing whatever is missing. */
  prepare(): void {
    if (this.#filling !== undefined || this.#stopped) return;
    clearTimeout(this.#retry);
    this.#filling = this.#fillMissing()
      .catch((error: unknown) => this.#onFailure(error))
      .finally(() => {
        this.#filling = undefined;
      });
  }

  /** The name of a prepared file, which then belongs to the caller; waits until there is one. */
  async take(): Promise<string> {
    this.prepare();
    while (!this.#spare) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#spare = false;
    return SPARE_FILE;
  }

  /** Lack of space was seen on the write path: gives up the reserve, so that its room can be used. */
  releaseReserve(error: unknown): void {
    rmSync(this.#path(RESERVE_FILE), { force: true });
    this.#reserve = false;
    this.#reportFull(error);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#filling;
  }

  #reportFull(error: unknown): void {
    if (this.#full) return;
    this.#full = true;
    this.#onFull(error);
  }

  async #fillMissing(): Promise<void> {
    try {
      while (!this.#stopped && !(this.#spare && this.#reserve)) {
        if (!this.#spare) {
          await this.#fill(SPARE_FILE);
          this.#gotSpare();
        } else {
          await this.#fill(RESERVE_FILE);
          this.#reserve = true;
        }
      }
      if (this.#full && !this.#stopped) {
        this.#full = false;
        this.#onRoom();
      }
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      this.#reportFull(error);
      if (!this.#spare && this.#reserve) {
        await rename(this.#path(RESERVE_FILE), this.#path(SPARE_FILE));
        this.#reserve = false;
        this.#gotSpare();
      }
      if (!this.#stopped) this.#retry = setTimeout(() => this.prepare(), RETRY_MS);
    }
  }

  #gotSpare(): void {
    this.#spare = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  async #fill(name: string): Promise<void> {
    const temporary = this.#path(name + TEMPORARY);
    try {
      const file = await open(temporary, 'w');
      try {
        for (let at = 0; at < this.#bytes; at += ZEROS.length) {
          const length = Math.min(ZEROS.length, this.#bytes - at);
          const { bytesWritten } = await file.write(ZEROS, 0, length, at);
          if (bytesWritten !== length) at -= ZEROS.length - bytesWritten;
          await file.datasync();
        }
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path(name));
      syncDirectory(this.#directory);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

import {
  closeSync,
  fstatSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { syncDirectory } from './segment-files.ts';

/** The file operations of the log's writer and of recovery; tests put a simulated disk here. All block. */
export interface LogFiles {
  /** Names of the files in a directory. */
  list(directory: string): readonly string[];
  /** The whole file, in `into` if it has room. Throws if there is none. */
  read(path: string, into?: Uint8Array): Uint8Array;
  /** Opens an existing file for writing. */
  open(path: string): number;
  /** Writes all of `bytes`. */
  write(fd: number, bytes: Uint8Array, offset: number): void;
  /** Cuts or extends (with zeros) a file. */
  truncate(fd: number, size: number): void;
  sync(fd: number): void;
  close(fd: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  syncDirectory(path: string): void;
}

export const nodeLogFiles: LogFiles = {
  list: (directory) => readdirSync(directory),
  read(path, into) {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      const bytes = into !== undefined && into.length >= size ? into.subarray(0, size) : newBytes(size);
      return bytes.subarray(0, readInto(fd, bytes, 0));
    } finally {
      closeSync(fd);
    }
  },
  open: (path) => openSync(path, 'r+'),
  write(fd, bytes, offset) {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
    }
  },
  truncate: ftruncateSync,
  sync: fdatasyncSync,
  close: closeSync,
  rename: renameSync,
  remove: (path) => rmSync(path),
  syncDirectory,
};

/** Memory that is about to be written to. No Buffer, whose slice() would be no copy. */
export function newBytes(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
}

/** Fills `bytes` from a place in a file; returns how many there were. */
export function readInto(fd: number, bytes: Uint8Array, offset: number): number {
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(fd, bytes, done, bytes.length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

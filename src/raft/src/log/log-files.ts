import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { syncDirectory } from './segment-files.ts';

/** The file operations of the log's writer and of recovery; tests put a simulated disk here. All block. */
export interface LogFiles {
  /** Names of the files in a directory. */
  list(directory: string): readonly string[];
  /** The whole file. Throws if there is none. */
  read(path: string): Uint8Array;
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
  read(path) {
    // A Buffer's slice() is no copy, so it is not passed on as one.
    const file = readFileSync(path);
    return new Uint8Array(file.buffer, file.byteOffset, file.length);
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

import { closeSync, fdatasyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { syncDirectory } from './segment-files.ts';

/** The file operations of the log's writer; tests put faults here. All block. */
export interface LogFiles {
  /** Opens an existing file for writing. */
  open(path: string): number;
  /** Writes all of `bytes`. */
  write(fd: number, bytes: Uint8Array, offset: number): void;
  sync(fd: number): void;
  close(fd: number): void;
  rename(from: string, to: string): void;
  syncDirectory(path: string): void;
}

export const nodeLogFiles: LogFiles = {
  open: (path) => openSync(path, 'r+'),
  write(fd, bytes, offset) {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
    }
  },
  sync: fdatasyncSync,
  close: closeSync,
  rename: renameSync,
  syncDirectory,
};

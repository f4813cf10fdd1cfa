import { MAX_ID_LENGTH } from './segment-header.ts';

/** Encryption keys of a log: `current` names the key of everything written from now on, the others still open what is there. */
export interface LogKeys {
  /** Key id → 32 bytes. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly current: string;
}

/** Throws RangeError if the current key is missing, or a key or its id has the wrong length. */
export function checkKeys(keys: LogKeys): void {
  for (const [id, key] of keys.keys) {
    if (key.length !== 32) throw new RangeError(`raft log key "${id}" has ${String(key.length)} bytes; give 32`);
    checkId('key id', id);
  }
  if (!keys.keys.has(keys.current)) {
    throw new RangeError(`raft log key "${keys.current}" is named current but not given`);
  }
}

/** Throws RangeError unless the id is 1 to 56 printable ASCII characters. */
export function checkId(field: string, id: string): void {
  if (id.length === 0 || id.length > MAX_ID_LENGTH || !/^[\x21-\x7e]+$/.test(id)) {
    throw new RangeError(`${field} "${id}" must be 1 to ${String(MAX_ID_LENGTH)} printable ASCII characters`);
  }
}

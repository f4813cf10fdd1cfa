/** Sizes in bytes: of an entry as encoded on the wire, and of what the user put in it. */
import type { Entry } from './types.ts';

/** Bytes of a protobuf varint. Works on numbers beyond 32 bits. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest /= 128) bytes++;
  return bytes;
}

/** Encoded size of one entry, in bytes. */
export function entryBytes(entry: Entry): number {
  const length = entry.data.length;
  const head = 4 + varintBytes(entry.term) + varintBytes(entry.index);
  return length === 0 ? head : head + 1 + varintBytes(length) + length;
}

/** Encoded size of all entries together, in bytes. */
export function entriesBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}

/** Payload alone, in bytes; empty entries count nothing, so they can never be refused for their size. */
export function payloadBytes(entries: readonly { readonly data: Uint8Array }[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  return bytes;
}

/** How many entries from the front fit into maxBytes; at least one if there is any. */
export function countWithin(entries: readonly Entry[], maxBytes: number): number {
  if (maxBytes === Infinity) return entries.length;
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) {
    bytes += entryBytes(entries[i] as Entry);
    if (bytes > maxBytes && i > 0) return i;
  }
  return entries.length;
}

/** The longest prefix that fits into maxBytes; at least one entry if there is any. */
export function limitBytes(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  const count = countWithin(entries, maxBytes);
  return count === entries.length ? entries : entries.slice(0, count);
}

/** Safe integers as 8 bytes, little endian. */

export const UINT64_BYTES = 8;

export function writeUint64(into: Uint8Array, offset: number, value: number): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

/** May be above the safe integers if the bytes are not of our making; compare, do not compute. */
export function readUint64(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
}

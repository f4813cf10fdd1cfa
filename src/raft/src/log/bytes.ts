/** Little-endian binary writing and reading of the log's own formats. 64-bit numbers are safe integers. */

const TWO_32 = 0x1_0000_0000;
const utf8 = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true });

/** Writes a safe integer as u64 little endian. */
export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % TWO_32, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_32), true);
}

/** Reads a u64 little endian. Throws RangeError above 2^53 − 1. */
export function readU64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * TWO_32 + view.getUint32(offset, true);
  if (!Number.isSafeInteger(value)) throw new RangeError('integer above 2^53 − 1');
  return value;
}

/** Rounds up to a multiple of 8, the alignment of records. */
export function align8(size: number): number {
  return Math.ceil(size / 8) * 8;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes a string takes with {@link ByteWriter.text}. Texts are ids: short and ASCII. */
export function textSize(value: string): number {
  return 1 + value.length;
}

/** Writes fields one after the other into a buffer of a size known beforehand. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = viewOf(bytes);
  }

  get offset(): number {
    return this.#offset;
  }

  u8(value: number): void {
    this.#view.setUint8(this.#offset, value);
    this.#offset += 1;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#offset, value, true);
    this.#offset += 4;
  }

  u64(value: number): void {
    writeU64(this.#view, this.#offset, value);
    this.#offset += 8;
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.#offset);
    this.#offset += value.length;
  }

  /** An ASCII text of at most 255 bytes, with its length. */
  text(value: string): void {
    const encoded = utf8.encode(value);
    if (encoded.length !== value.length || encoded.length > 255) {
      throw new RangeError(`"${value}" is not an ASCII text of at most 255 bytes`);
    }
    this.u8(encoded.length);
    this.raw(encoded);
  }

  skip(count: number): void {
    this.#offset += count;
  }
}

/** Reads what {@link ByteWriter} wrote. Throws RangeError when the bytes end early. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = viewOf(bytes);
  }

  get offset(): number {
    return this.#offset;
  }

  u8(): number {
    const value = this.#view.getUint8(this.#offset);
    this.#offset += 1;
    return value;
  }

  u32(): number {
    const value = this.#view.getUint32(this.#offset, true);
    this.#offset += 4;
    return value;
  }

  u64(): number {
    const value = readU64(this.#view, this.#offset);
    this.#offset += 8;
    return value;
  }

  /** A view of the next bytes, not a copy. */
  raw(size: number): Uint8Array {
    if (this.#offset + size > this.bytes.length) throw new RangeError('bytes end early');
    const value = this.bytes.subarray(this.#offset, this.#offset + size);
    this.#offset += size;
    return value;
  }

  text(): string {
    return utf8Decoder.decode(this.raw(this.u8()));
  }
}

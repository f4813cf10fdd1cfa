/** The few protobuf wire primitives that configuration changes need (varints and length-delimited fields). */

/** Bytes that are not what they should be; the text says where. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
}

const WireType = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const;

/** Appends fields to a growing list of bytes. */
export class ProtoWriter {
  readonly #bytes: number[] = [];

  /** An unsigned 64-bit number; written even if it is 0, as proto2 peers do. */
  varint(field: number, value: bigint): this {
    this.#raw(BigInt((field << 3) | WireType.Varint));
    return this.#raw(value);
  }

  bytes(field: number, value: Uint8Array): this {
    this.#raw(BigInt((field << 3) | WireType.Bytes));
    this.#raw(BigInt(value.length));
    for (const byte of value) this.#bytes.push(byte);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #raw(value: bigint): this {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes.push(Number(rest & 0x7fn) | 0x80);
    this.#bytes.push(Number(rest));
    return this;
  }
}

export interface ProtoField {
  readonly number: number;
  /** The value of a varint field; 0 for others. */
  readonly value: bigint;
  /** The content of a length-delimited field, undefined for others. */
  readonly bytes: Uint8Array | undefined;
}

/** Yields the fields of a message in order; throws {@link MalformedBytes}. */
export function* readFields(message: Uint8Array): Generator<ProtoField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) throw new MalformedBytes(`number cut off at byte ${at}`);
      at++;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >= 1n << 64n) throw new MalformedBytes(`number above 64 bits at byte ${at}`);
        return value;
      }
    }
    throw new MalformedBytes(`number longer than 10 bytes at byte ${at}`);
  };
  const skip = (count: number): Uint8Array => {
    if (count > message.length - at) throw new MalformedBytes(`field cut off at byte ${at}`);
    at += count;
    return message.subarray(at - count, at);
  };
  while (at < message.length) {
    const key = varint();
    const number = Number(key >> 3n);
    if (number === 0 || key >= 1n << 32n) throw new MalformedBytes(`invalid field key at byte ${at}`);
    switch (Number(key & 7n)) {
      case WireType.Varint:
        yield { number, value: varint(), bytes: undefined };
        break;
      case WireType.Bytes: {
        const length = varint();
        if (length > BigInt(message.length)) throw new MalformedBytes(`field cut off at byte ${at}`);
        yield { number, value: 0n, bytes: skip(Number(length)) };
        break;
      }
      case WireType.Fixed64:
        skip(8);
        break;
      case WireType.Fixed32:
        skip(4);
        break;
      default:
        throw new MalformedBytes(`unknown wire type at byte ${at}`);
    }
  }
}

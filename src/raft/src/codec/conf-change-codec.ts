/** Payload of configuration-change entries, byte compatible with etcd's raftpb, so that logs and peers can be mixed. */
import { ConfChangeTransition, ConfChangeType, EntryType } from '../types.ts';
import type { ConfChange, ConfChangeSingle, ConfChangeV2 } from '../types.ts';
import { isConfChangeV2 } from '../membership/conf-change.ts';
import { NO_BYTES } from '../messages.ts';
import { MalformedBytes, ProtoWriter, readFields } from './protobuf.ts';
import type { ProtoField } from './protobuf.ts';

export type DecodeResult<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string };

/** The bytes of a change. Leaving a joint configuration (no changes, transition Auto, no context) is no bytes at all. */
export function encodeConfChange(change: ConfChange | ConfChangeV2): Uint8Array {
  return isConfChangeV2(change) ? encodeV2(change) : encodeV1(change);
}

/** The change in an entry's payload, in whichever form the entry's type says. Malformed bytes are an error value. */
export function decodeConfChange(type: EntryType, data: Uint8Array): DecodeResult<ConfChange | ConfChangeV2> {
  switch (type) {
    case EntryType.ConfChange:
      return decoding(() => decodeV1(data));
    case EntryType.ConfChangeV2:
      return decoding(() => decodeV2(data));
    default:
      return { ok: false, error: `entry type ${type} holds no configuration change` };
  }
}

function encodeV1(change: ConfChange): Uint8Array {
  const writer = new ProtoWriter()
    .varint(1, BigInt(change.id))
    .varint(2, BigInt(change.type))
    .varint(3, BigInt(change.nodeId));
  if (change.context.length > 0) writer.bytes(4, change.context);
  return writer.finish();
}

function encodeV2(change: ConfChangeV2): Uint8Array {
  const isEmpty = change.transition === ConfChangeTransition.Auto && change.changes.length === 0;
  if (isEmpty && change.context.length === 0) return NO_BYTES;
  const writer = new ProtoWriter().varint(1, BigInt(change.transition));
  for (const single of change.changes) {
    const bytes = new ProtoWriter().varint(1, BigInt(single.type)).varint(2, BigInt(single.nodeId)).finish();
    writer.bytes(2, bytes);
  }
  if (change.context.length > 0) writer.bytes(3, change.context);
  return writer.finish();
}

function decodeV1(data: Uint8Array): ConfChange {
  let id = '0';
  let type: ConfChangeType = ConfChangeType.AddNode;
  let nodeId = '0';
  let context: Uint8Array = NO_BYTES;
  for (const field of readFields(data)) {
    if (field.number === 1) id = asNumber(field).toString();
    else if (field.number === 2) type = asChangeType(field);
    else if (field.number === 3) nodeId = asNumber(field).toString();
    else if (field.number === 4) context = asBytes(field);
  }
  return { id, type, nodeId, context };
}

function decodeV2(data: Uint8Array): ConfChangeV2 {
  let transition: ConfChangeTransition = ConfChangeTransition.Auto;
  let context: Uint8Array = NO_BYTES;
  const changes: ConfChangeSingle[] = [];
  for (const field of readFields(data)) {
    if (field.number === 1) transition = asTransition(field);
    else if (field.number === 2) changes.push(decodeSingle(asBytes(field)));
    else if (field.number === 3) context = asBytes(field);
  }
  return { transition, changes, context };
}

function decodeSingle(data: Uint8Array): ConfChangeSingle {
  let type: ConfChangeType = ConfChangeType.AddNode;
  let nodeId = '0';
  for (const field of readFields(data)) {
    if (field.number === 1) type = asChangeType(field);
    else if (field.number === 2) nodeId = asNumber(field).toString();
  }
  return { type, nodeId };
}

function asNumber(field: ProtoField): bigint {
  if (field.bytes !== undefined) throw new MalformedBytes(`field ${field.number} should be a number`);
  return field.value;
}

function asBytes(field: ProtoField): Uint8Array {
  if (field.bytes === undefined) throw new MalformedBytes(`field ${field.number} should be bytes`);
  // A copy, so that the change does not keep the entry alive (slice would be a view if the payload is a Buffer).
  return Uint8Array.from(field.bytes);
}

function asChangeType(field: ProtoField): ConfChangeType {
  const found = Object.values(ConfChangeType).find((type) => BigInt(type) === asNumber(field));
  if (found === undefined) throw new MalformedBytes(`unknown change type ${field.value}`);
  return found;
}

function asTransition(field: ProtoField): ConfChangeTransition {
  const found = Object.values(ConfChangeTransition).find((transition) => BigInt(transition) === asNumber(field));
  if (found === undefined) throw new MalformedBytes(`unknown transition ${field.value}`);
  return found;
}

function decoding<Value>(decode: () => Value): DecodeResult<Value> {
  try {
    return { ok: true, value: decode() };
  } catch (error) {
    if (error instanceof MalformedBytes) return { ok: false, error: error.message };
    throw error;
  }
}

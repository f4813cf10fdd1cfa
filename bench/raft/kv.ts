/** etcd's Put, as far as both sides of the comparison need it: one load generator speaks to either. */
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { MethodDefinition } from '@grpc/grpc-js';

export interface PutRequest {
  readonly key: string;
  readonly value: Uint8Array;
}

/** etcd answers with a header; nobody here reads it. */
export type PutResponse = Record<string, never>;

const LENGTH_DELIMITED = 2;
const KEY = (1 << 3) | LENGTH_DELIMITED;
const VALUE = (2 << 3) | LENGTH_DELIMITED;

export const KvService: { readonly put: MethodDefinition<PutRequest, PutResponse> } = {
  put: {
    path: '/etcdserverpb.KV/Put',
    requestStream: false,
    responseStream: false,
    requestSerialize: ({ key, value }) =>
      Buffer.from(new BinaryWriter().uint32(KEY).string(key).uint32(VALUE).bytes(value).finish()),
    requestDeserialize: decodePut,
    responseSerialize: () => Buffer.alloc(0),
    responseDeserialize: () => ({}),
  },
};

function decodePut(bytes: Buffer): PutRequest {
  const reader = new BinaryReader(bytes);
  let key = '';
  let value: Uint8Array = Buffer.alloc(0);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === KEY) key = reader.string();
    else if (tag === VALUE) value = reader.bytes();
    else reader.skip(tag & 7);
  }
  return { key, value };
}

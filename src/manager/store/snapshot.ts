/**
 * The store as bytes. A snapshot is a sequence of pieces, each a valid Snapshot message; their concatenation is one too
 * (protobuf merges repeated parts), so pieces can be written, sent and read one at a time.
 */
import { createHash } from 'node:crypto';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { SwarmError } from '../../common/errors.ts';
import { ClusterSnapshot, StoreSnapshot } from '../../proto/generated/docker/swarmkit/v1/snapshot.ts';
import { OBJECT_KINDS, type ObjectKind } from './objects.ts';
import type { StoreCapture } from './store.ts';

/** Objects per piece; keeps one piece's encoding under a ms or two. */
const PIECE_OBJECTS = 50;
/** Objects that are put into their groups between two pieces, which costs as much. */
const GROUPED_OBJECTS = 2_000;
/** Ids are random: with this many characters of them a group of 100,000 objects has about 80. */
const GROUP_START = 2;

const FIELD: { readonly [K in ObjectKind]: keyof StoreSnapshot } = {
  cluster: 'clusters',
  node: 'nodes',
  network: 'networks',
  secret: 'secrets',
  config: 'configs',
  volume: 'volumes',
  extension: 'extensions',
  resource: 'resources',
  service: 'services',
  task: 'tasks',
};

/** Field numbers of Snapshot; 1000 and up are ours: applied version and recent request ids. */
const STORE_FIELD = 3;
const MEMBERSHIP_FIELD = 2;
const VERSION_FIELD = 1000;
const REQUEST_IDS_FIELD = 1001;
const LENGTH_DELIMITED = 2;

/** Members of the consensus group as stored in a snapshot. */
export type Membership = ClusterSnapshot;

/**
 * Encodes a capture piece by piece; objects come in order of id so that equal states give equal bytes. Some pieces hold
 * nothing: none is much work.
 */
export function* encodeSnapshot(state: StoreCapture, membership: Membership): Generator<Uint8Array> {
  const head = new BinaryWriter();
  head.uint32((MEMBERSHIP_FIELD << 3) | LENGTH_DELIMITED).bytes(ClusterSnapshot.encode(membership).finish());
  head.uint32(VERSION_FIELD << 3).uint64(state.version);
  head.uint32((REQUEST_IDS_FIELD << 3) | LENGTH_DELIMITED).string(state.requestIds.join(','));
  yield head.finish();
  for (const kind of OBJECT_KINDS) {
    for (const objects of inOrderOfId(state.objects[kind])) {
      const piece = { ...StoreSnapshot.fromPartial({}), [FIELD[kind]]: objects } as StoreSnapshot;
      yield new BinaryWriter()
        .uint32((STORE_FIELD << 3) | LENGTH_DELIMITED)
        .bytes(StoreSnapshot.encode(piece).finish())
        .finish();
    }
  }
}

interface Identified {
  readonly id: string;
}

/**
 * All objects in pieces, some of them empty. Sorted group by group, one group for all ids that start alike: sorting many at once would
 * stop the process.
 */
function* inOrderOfId(objects: StoreCapture['objects'][ObjectKind]): Generator<readonly Identified[]> {
  const groups = new Map<string, Identified[]>();
  let grouped = 0;
  for (const object of objects) {
    if (++grouped % GROUPED_OBJECTS === 0) yield [];
    const start = object.id.slice(0, GROUP_START);
    const group = groups.get(start);
    if (group) group.push(object);
    else groups.set(start, [object]);
  }
  let piece: Identified[] = [];
  for (const start of [...groups.keys()].sort()) {
    const group = groups.get(start) ?? [];
    for (const object of group.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      piece.push(object);
      if (piece.length < PIECE_OBJECTS) continue;
      yield piece;
      piece = [];
    }
  }
  if (piece.length > 0) yield piece;
}

/** Reads a snapshot back. Throws dataLoss when the bytes are not one. */
export function decodeSnapshot(bytes: Uint8Array): { readonly state: StoreCapture; readonly membership: Membership } {
  const objects = Object.fromEntries(OBJECT_KINDS.map((kind) => [kind, []])) as unknown as Record<
    ObjectKind,
    unknown[]
  >;
  let membership = ClusterSnapshot.fromPartial({});
  let version = 0;
  let requestIds: readonly string[] = [];
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === STORE_FIELD) {
        const piece = StoreSnapshot.decode(reader.bytes());
        for (const kind of OBJECT_KINDS) objects[kind].push(...piece[FIELD[kind]]);
      } else if (field === MEMBERSHIP_FIELD) membership = ClusterSnapshot.decode(reader.bytes());
      else if (field === VERSION_FIELD) version = Number(reader.uint64());
      else if (field === REQUEST_IDS_FIELD)
        requestIds = reader
          .string()
          .split(',')
          .filter((id) => id !== '');
      else reader.skip(wireType, field);
    }
  } catch (error) {
    throw new SwarmError('dataLoss', 'the snapshot cannot be decoded: its content is damaged', { cause: error });
  }
  return { state: { version, objects: objects as unknown as StoreCapture['objects'], requestIds }, membership };
}

/** SHA-256 (hex) over all objects; equal on all managers that have applied the same entries. */
export function stateHash(state: StoreCapture): string {
  const hash = createHash('sha256');
  for (const piece of encodeSnapshot(state, ClusterSnapshot.fromPartial({}))) hash.update(piece);
  return hash.digest('hex');
}

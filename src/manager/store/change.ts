/** A change to one object, and its form in a log entry. */
import {
  StoreAction,
  StoreActionKind,
  type StoreAction as StoreActionMessage,
} from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import { SwarmError } from '../../common/errors.ts';
import type { ObjectKind, StoreObjects } from './objects.ts';
import { encodeWith } from './shared-writer.ts';

/** A change that has happened; `old` is the object before it. */
export type Change = {
  readonly [K in ObjectKind]:
    | { readonly action: 'create'; readonly kind: K; readonly object: StoreObjects[K]; readonly old?: undefined }
    | { readonly action: 'update'; readonly kind: K; readonly object: StoreObjects[K]; readonly old: StoreObjects[K] }
    | { readonly action: 'delete'; readonly kind: K; readonly object: StoreObjects[K]; readonly old: StoreObjects[K] };
}[ObjectKind];

export type ChangeAction = Change['action'];

const ACTION_KIND = {
  create: StoreActionKind.STORE_ACTION_CREATE,
  update: StoreActionKind.STORE_ACTION_UPDATE,
  delete: StoreActionKind.STORE_ACTION_REMOVE,
} as const;

/** Bytes of one change; a deletion carries the id only. */
export function encodeChange(action: ChangeAction, kind: ObjectKind, object: StoreObjects[ObjectKind]): Uint8Array {
  const target = { $case: kind, value: object } as StoreActionMessage['target'];
  const message: StoreActionMessage = { action: ACTION_KIND[action], target };
  // Objects are complete already; only a deletion, which has nothing but an id, needs its other fields filled in.
  const complete = action === 'delete' ? deletionOf(kind, object.id) : message;
  return encodeWith((writer) => StoreAction.encode(complete, writer));
}

const deletionOf = (kind: ObjectKind, id: string): StoreActionMessage =>
  StoreAction.fromPartial({ action: ACTION_KIND.delete, target: { $case: kind, value: { id } } as never });

/** A change as read from the log. Throws dataLoss when the entry holds something this version does not know. */
export function decodeChange(message: StoreActionMessage): {
  action: ChangeAction;
  kind: ObjectKind;
  object: StoreObjects[ObjectKind];
} {
  const target = message.target;
  const action = (Object.keys(ACTION_KIND) as ChangeAction[]).find((a) => ACTION_KIND[a] === message.action);
  if (!target || !action) {
    throw new SwarmError(
      'dataLoss',
      `log entry holds an unknown store action ${message.action} (${target?.$case ?? 'no object'}): it was written by a newer version; upgrade this manager`,
    );
  }
  return { action, kind: target.$case, object: target.value };
}

/** Transactions: a view of all tables, and the set of changes a writer collects. */
import { SwarmError } from '../../common/errors.ts';
import { timestampOfMs } from '../../common/time.ts';
import type { Meta } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Version } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Timestamp } from '../../proto/generated/google/protobuf/timestamp.ts';
import { encodeChange, type Change, type ChangeAction } from './change.ts';
import { KINDS, uniqueNameOf, type IndexName, type ObjectKind, type StoreObjects } from './objects.ts';
import type { TableLayer, TableReader } from './table.ts';

/** Consistent view of the store; use it synchronously and do not keep it across an await. */
export type Reader = { readonly [K in ObjectKind]: TableReader<K> };

/** A table inside a write transaction. */
export interface TableWriter<K extends ObjectKind> extends TableReader<K> {
  /** Throws alreadyExists when the id or the unique name is taken. */
  create(object: StoreObjects[K]): void;
  /** Replaces an object. Throws notFound, alreadyExists (name) or, when `object.meta.version` is not the current one, outOfSequence. */
  update(object: StoreObjects[K]): void;
  /** Throws notFound. */
  delete(id: string): void;
}

export type Writer = { readonly [K in ObjectKind]: TableWriter<K> };

/** A change a transaction has made but not yet proposed. */
export interface PendingChange {
  readonly action: ChangeAction;
  readonly kind: ObjectKind;
  readonly object: StoreObjects[ObjectKind];
  readonly bytes: Uint8Array;
}

type Layers = { readonly [K in ObjectKind]: TableLayer<K> };

/** An object a transaction touched. */
interface Touched {
  readonly kind: ObjectKind;
  readonly id: string;
  /** What the layers showed before, to undo. */
  readonly before: StoreObjects[ObjectKind] | undefined;
  /** The net change; undefined when the transaction made the object and deleted it again. */
  change: PendingChange | undefined;
}

/** Collects the changes of one transaction in the layers; {@link undo} takes them back. */
export class TransactionLog {
  readonly #layers: Layers;
  /** One object for all changes, as is each version: there are many of them in memory. */
  readonly #now: Timestamp;
  /** In order of first touch. */
  readonly #touched: Touched[] = [];
  readonly #touchedById: { [K in ObjectKind]?: Map<string, Touched> } = {};
  #count = 0;
  #bytes = 0;

  constructor(layers: Layers, nowMs: number) {
    this.#layers = layers;
    this.#now = timestampOfMs(nowMs);
  }

  get changes(): readonly PendingChange[] {
    const changes: PendingChange[] = [];
    for (const { change } of this.#touched) if (change) changes.push(change);
    return changes;
  }

  get count(): number {
    return this.#count;
  }

  /** Encoded size in bytes of all changes. */
  get bytes(): number {
    return this.#bytes;
  }

  create<K extends ObjectKind>(kind: K, object: StoreObjects[K]): void {
    if (object.id === '') throw new SwarmError('internal', `creating a ${kind} without an id`);
    if (this.#layers[kind].get(object.id)) throw new SwarmError('alreadyExists', `${kind} ${object.id} already exists`);
    this.#refuseTakenName(kind, object);
    const meta = { version: object.meta?.version, createdAt: this.#now, updatedAt: this.#now };
    this.#record('create', kind, withMeta[kind](object, meta), undefined);
  }

  update<K extends ObjectKind>(kind: K, object: StoreObjects[K]): void {
    const current = this.#layers[kind].get(object.id);
    if (!current) throw new SwarmError('notFound', `${kind} ${object.id} not found`);
    if ((object.meta?.version?.index ?? 0) !== (current.meta?.version?.index ?? 0)) {
      throw new SwarmError('outOfSequence', 'update out of sequence');
    }
    this.#refuseTakenName(kind, object);
    const meta = {
      version: current.meta?.version,
      createdAt: current.meta?.createdAt,
      updatedAt: this.#now,
    };
    this.#record('update', kind, withMeta[kind](object, meta), current);
  }

  delete(kind: ObjectKind, id: string): void {
    const current = this.#layers[kind].get(id);
    if (!current) throw new SwarmError('notFound', `${kind} ${id} not found`);
    this.#record('delete', kind, current, current);
  }

  /** Takes every change out of the layers again. */
  undo(): void {
    for (const { kind, id, before } of this.#touched) {
      (this.#layers[kind] as TableLayer<ObjectKind>).show(id, before);
      this.#touchedById[kind]?.delete(id);
    }
    this.#touched.length = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #refuseTakenName<K extends ObjectKind>(kind: K, object: StoreObjects[K]): void {
    const name = uniqueNameOf(kind, object);
    if (name === undefined) return;
    const holder = this.#layers[kind].byName(name);
    if (holder && holder.id !== object.id) throw new SwarmError('alreadyExists', `${kind} ${name} already exists`);
  }

  /** @param before what the layers show under its id */
  #record(
    action: ChangeAction,
    kind: ObjectKind,
    object: StoreObjects[ObjectKind],
    before: StoreObjects[ObjectKind] | undefined,
  ): void {
    const touched = this.#touch(kind, object.id, before);
    if (action === 'delete') this.#layers[kind].delete(object.id);
    else this.#put(kind, object);
    const earlier = touched.change;
    if (earlier) {
      this.#count--;
      this.#bytes -= earlier.bytes.length;
      touched.change = undefined;
    }
    if (earlier?.action === 'create' && action === 'delete') return;
    const net: ChangeAction =
      earlier?.action === 'create' ? 'create' : earlier?.action === 'delete' ? 'update' : action;
    const bytes = encodeChange(net, kind, object);
    this.#count++;
    this.#bytes += bytes.length;
    touched.change = { action: net, kind, object, bytes };
  }

  #touch(kind: ObjectKind, id: string, before: StoreObjects[ObjectKind] | undefined): Touched {
    const byId = (this.#touchedById[kind] ??= new Map<string, Touched>());
    const known = byId.get(id);
    if (known) return known;
    const touched: Touched = { kind, id, before, change: undefined };
    this.#touched.push(touched);
    byId.set(id, touched);
    return touched;
  }

  #put(kind: ObjectKind, object: StoreObjects[ObjectKind]): void {
    (this.#layers[kind] as TableLayer<ObjectKind>).put(object);
  }
}

/** The writer a transaction body sees. Most bodies touch one or two tables, so each is made when it is asked for. */
export function writerOf(layers: Layers, log: TransactionLog): Writer {
  return new TransactionWriter(layers, log) as unknown as Writer;
}

class TransactionWriter {
  readonly #layers: Layers;
  readonly #log: TransactionLog;

  constructor(layers: Layers, log: TransactionLog) {
    this.#layers = layers;
    this.#log = log;
  }

  static {
    for (const kind of Object.keys(KINDS) as ObjectKind[]) {
      Object.defineProperty(this.prototype, kind, {
        get(this: TransactionWriter) {
          return new TransactionTable(kind, this.#layers[kind] as TableLayer<ObjectKind>, this.#log);
        },
      });
    }
  }
}

class TransactionTable<K extends ObjectKind> implements TableWriter<K> {
  readonly #kind: K;
  readonly #layer: TableLayer<K>;
  readonly #log: TransactionLog;

  constructor(kind: K, layer: TableLayer<K>, log: TransactionLog) {
    this.#kind = kind;
    this.#layer = layer;
    this.#log = log;
  }

  get size(): number {
    return this.#layer.size;
  }

  get(id: string): StoreObjects[K] | undefined {
    return this.#layer.get(id);
  }

  byName(name: string): StoreObjects[K] | undefined {
    return this.#layer.byName(name);
  }

  by(index: IndexName<K>, key: string): readonly StoreObjects[K][] {
    return this.#layer.by(index, key);
  }

  all(): readonly StoreObjects[K][] {
    return this.#layer.all();
  }

  byIdPrefix(prefix: string): readonly StoreObjects[K][] {
    return this.#layer.byIdPrefix(prefix);
  }

  create(object: StoreObjects[K]): void {
    this.#log.create(this.#kind, object);
  }

  update(object: StoreObjects[K]): void {
    this.#log.update(this.#kind, object);
  }

  delete(id: string): void {
    this.#log.delete(this.#kind, id);
  }
}

/** Copies of objects with other meta data. A function for each kind, because one for all would meet too many shapes to be fast. */
const withMeta: { readonly [K in ObjectKind]: (object: StoreObjects[K], meta: Meta) => StoreObjects[K] } = {
  cluster: (cluster, meta) => ({ ...cluster, meta }),
  node: (node, meta) => ({ ...node, meta }),
  network: (network, meta) => ({ ...network, meta }),
  secret: (secret, meta) => ({ ...secret, meta }),
  config: (config, meta) => ({ ...config, meta }),
  volume: (volume, meta) => ({ ...volume, meta }),
  extension: (extension, meta) => ({ ...extension, meta }),
  resource: (resource, meta) => ({ ...resource, meta }),
  service: (service, meta) => ({ ...service, meta }),
  task: (task, meta) => ({ ...task, meta }),
};

/**
 * Writes the version of the commit that makes an object into it. In place, which is allowed to nobody else: the object was
 * made for this one change, by {@link withMeta} or from a log entry, and nobody has seen it with another version.
 */
export function stampVersion(object: StoreObjects[ObjectKind], version: Version): void {
  const own = object as { meta: { version?: Version | undefined } | undefined };
  if (own.meta) own.meta.version = version;
  else own.meta = { version };
}

/** Applies a change to committed tables and returns it with the object it replaced; undefined when there was nothing to do. */
export function applyChange(
  table: {
    get(id: string): StoreObjects[ObjectKind] | undefined;
    put(object: StoreObjects[ObjectKind]): StoreObjects[ObjectKind] | undefined;
    delete(id: string): void;
  },
  action: ChangeAction,
  kind: ObjectKind,
  object: StoreObjects[ObjectKind],
): Change | undefined {
  if (action === 'delete') {
    const gone = table.get(object.id);
    if (!gone) return undefined;
    table.delete(object.id);
    return { action, kind, object: gone, old: gone } as Change;
  }
  const old = table.put(object);
  return (old ? { action: 'update', kind, object, old } : { action: 'create', kind, object }) as Change;
}

/**
 * One table of immutable objects with its indexes, and a layer of uncommitted changes over a table.
 */
import {
  KINDS,
  nameKey,
  uniqueNameOf,
  type IndexKeys,
  type IndexName,
  type ObjectKind,
  type StoreObjects,
} from './objects.ts';

/** What a reader may ask of a table. Results are in no particular order unless said; objects are never changed in place. */
export interface TableReader<K extends ObjectKind> {
  readonly size: number;
  get(id: string): StoreObjects[K] | undefined;
  /** Looks up a unique name, ignoring case. */
  byName(name: string): StoreObjects[K] | undefined;
  /** All objects filed under `key` in an index. */
  by(index: IndexName<K>, key: string): readonly StoreObjects[K][];
  all(): readonly StoreObjects[K][];
  /** Objects whose id starts with `prefix`. */
  byIdPrefix(prefix: string): readonly StoreObjects[K][];
}

/** Tables hold a handful of objects per index key most of the time, so a Set of ids per key is small. */
type Index = Map<string, Set<string>>;

export class Table<K extends ObjectKind> implements TableReader<K> {
  readonly kind: K;
  readonly #objects = new Map<string, StoreObjects[K]>();
  readonly #names = new Map<string, string>();
  /** Built when first asked for, then kept up to date; most tables of a layer are never asked. */
  readonly #indexes = new Map<string, { readonly keysOf: IndexKeys<StoreObjects[K]>; readonly index: Index }>();

  constructor(kind: K) {
    this.kind = kind;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(id: string): StoreObjects[K] | undefined {
    return this.#objects.get(id);
  }

  byName(name: string): StoreObjects[K] | undefined {
    const id = this.#names.get(nameKey(name));
    return id === undefined ? undefined : this.#objects.get(id);
  }

  by(index: IndexName<K>, key: string): readonly StoreObjects[K][] {
    const ids = this.#index(index).get(key);
    if (!ids) return [];
    const found: StoreObjects[K][] = [];
    for (const id of ids) {
      const object = this.#objects.get(id);
      if (object) found.push(object);
    }
    return found;
  }

  all(): readonly StoreObjects[K][] {
    return [...this.#objects.values()];
  }

  byIdPrefix(prefix: string): readonly StoreObjects[K][] {
    const exact = this.#objects.get(prefix);
    if (exact) return [exact];
    return this.all().filter((object) => object.id.startsWith(prefix));
  }

  /** Inserts or replaces, and returns what was there; the caller has checked versions and names. */
  put(object: StoreObjects[K]): StoreObjects[K] | undefined {
    const old = this.#objects.get(object.id);
    this.#objects.set(object.id, object);
    this.#fileName(old, object);
    for (const { keysOf, index } of this.#indexes.values()) {
      const before = old ? keysOf(old) : [];
      const after = keysOf(object);
      if (old && sameKeys(before, after)) continue;
      for (const key of before) unfile(index, key, object.id);
      for (const key of after) file(index, key, object.id);
    }
    return old;
  }

  delete(id: string): void {
    const old = this.#objects.get(id);
    if (!old) return;
    this.#objects.delete(id);
    this.#fileName(old, undefined);
    for (const { keysOf, index } of this.#indexes.values()) {
      for (const key of keysOf(old)) unfile(index, key, id);
    }
  }

  clear(): void {
    this.#objects.clear();
    this.#names.clear();
    this.#indexes.clear();
  }

  #index(name: IndexName<K>): Index {
    const built = this.#indexes.get(name);
    if (built) return built.index;
    const keysOf = (KINDS[this.kind].indexes as Readonly<Record<string, IndexKeys<StoreObjects[K]>>>)[name];
    const index: Index = new Map();
    if (!keysOf) return index;
    for (const object of this.#objects.values()) {
      for (const key of keysOf(object)) file(index, key, object.id);
    }
    this.#indexes.set(name, { keysOf, index });
    return index;
  }

  #fileName(old: StoreObjects[K] | undefined, next: StoreObjects[K] | undefined): void {
    const before = old && uniqueNameOf(this.kind, old);
    const after = next && uniqueNameOf(this.kind, next);
    if (before === after) return;
    if (before !== undefined && old && this.#names.get(nameKey(before)) === old.id) this.#names.delete(nameKey(before));
    if (after !== undefined && next) this.#names.set(nameKey(after), next.id);
  }
}

/** Uncommitted changes over a committed table: the state the next transaction builds on. */
export class TableLayer<K extends ObjectKind> implements TableReader<K> {
  readonly #base: Table<K>;
  readonly #changed: Table<K>;
  readonly #deleted = new Set<string>();

  constructor(base: Table<K>) {
    this.#base = base;
    this.#changed = new Table(base.kind);
  }

  get size(): number {
    let size = this.#base.size;
    for (const object of this.#changed.all()) if (!this.#base.get(object.id)) size++;
    for (const id of this.#deleted) if (this.#base.get(id)) size--;
    return size;
  }

  get isEmpty(): boolean {
    return this.#changed.size === 0 && this.#deleted.size === 0;
  }

  get(id: string): StoreObjects[K] | undefined {
    return this.#changed.get(id) ?? (this.#deleted.size > 0 && this.#deleted.has(id) ? undefined : this.#base.get(id));
  }

  byName(name: string): StoreObjects[K] | undefined {
    const changed = this.#changed.byName(name);
    if (changed) return changed;
    const base = this.#base.byName(name);
    return base && this.#isUntouched(base.id) ? base : undefined;
  }

  by(index: IndexName<K>, key: string): readonly StoreObjects[K][] {
    return this.#merge(this.#base.by(index, key), this.#changed.by(index, key));
  }

  all(): readonly StoreObjects[K][] {
    return this.#merge(this.#base.all(), this.#changed.all());
  }

  byIdPrefix(prefix: string): readonly StoreObjects[K][] {
    const exact = this.get(prefix);
    if (exact) return [exact];
    return this.all().filter((object) => object.id.startsWith(prefix));
  }

  put(object: StoreObjects[K]): void {
    this.#deleted.delete(object.id);
    this.#changed.put(object);
  }

  delete(id: string): void {
    this.#changed.delete(id);
    this.#deleted.add(id);
  }

  /** Makes the layer show `object` (or nothing) under an id, keeping no trace where that is what the table holds anyway. */
  show(id: string, object: StoreObjects[K] | undefined): void {
    if (this.#base.get(id) === object) this.forget(id);
    else if (object) this.put(object);
    else this.delete(id);
  }

  /** Takes an object out of the layer, so that the committed one shows again. */
  forget(id: string): void {
    this.#changed.delete(id);
    this.#deleted.delete(id);
  }

  clear(): void {
    this.#changed.clear();
    this.#deleted.clear();
  }

  #isUntouched(id: string): boolean {
    return !this.#deleted.has(id) && !this.#changed.get(id);
  }

  #merge(base: readonly StoreObjects[K][], changed: readonly StoreObjects[K][]): readonly StoreObjects[K][] {
    if (this.isEmpty) return base;
    return [...base.filter((object) => this.#isUntouched(object.id)), ...changed];
  }
}

const sameKeys = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((key, i) => key === b[i]);

function file(index: Index, key: string, id: string): void {
  const ids = index.get(key);
  if (ids) ids.add(id);
  else index.set(key, new Set([id]));
}

function unfile(index: Index, key: string, id: string): void {
  const ids = index.get(key);
  if (!ids) return;
  ids.delete(id);
  if (ids.size === 0) index.delete(key);
}

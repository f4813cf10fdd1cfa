/** List filters: values of one filter are alternatives, different filters must all hold. */
type Labels = Readonly<Record<string, string>> | undefined;

/** What every list can be filtered by. */
export interface CommonFilters {
  readonly names: readonly string[];
  readonly idPrefixes: readonly string[];
  readonly namePrefixes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The parts of an object that filters look at. */
export interface Filterable {
  readonly id: string;
  /** Names it answers to. */
  readonly names: readonly string[];
  readonly labels: Labels;
}

export function matchesCommon(filters: CommonFilters | undefined, object: Filterable): boolean {
  if (!filters) return true;
  return (
    isEmptyOr(filters.names, (name) => object.names.includes(name)) &&
    isEmptyOr(filters.namePrefixes, (prefix) => object.names.some((name) => name.startsWith(prefix))) &&
    isEmptyOr(filters.idPrefixes, (prefix) => object.id.startsWith(prefix)) &&
    matchesLabels(filters.labels, object.labels)
  );
}

/** Whether a filter says nothing or one of its values holds. */
export const isEmptyOr = <T>(values: readonly T[], holds: (value: T) => boolean): boolean =>
  values.length === 0 || values.some(holds);

/** Every label must be there; an empty value asks for the key only. */
export const matchesLabels = (wanted: Readonly<Record<string, string>>, labels: Labels): boolean =>
  Object.entries(wanted).every(
    ([key, value]) => labels !== undefined && Object.hasOwn(labels, key) && (value === '' || labels[key] === value),
  );

/**
 * Reads a table by the narrowest filter given, so that a look-up of one name or id does not scan everything. For kinds
 * without unique names leave names out.
 */
export function candidates<T>(
  filters: CommonFilters | undefined,
  table: { all(): readonly T[]; get(id: string): T | undefined; byName(name: string): T | undefined },
): readonly T[] {
  const ids = filters?.idPrefixes ?? [];
  const whole = ids.map((id) => table.get(id));
  if (ids.length > 0 && whole.every((object) => object !== undefined)) return unique(whole);
  if (filters && filters.names.length > 0) {
    return unique(filters.names.map((name) => table.byName(name)).filter((object) => object !== undefined));
  }
  return table.all();
}

const unique = <T>(objects: readonly T[]): readonly T[] => [...new Set(objects)];

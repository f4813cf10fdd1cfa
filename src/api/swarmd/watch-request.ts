/** Parameters of `/swarmd/watch`. */
import { badRequest } from '../http-error.ts';
import { isWatchedKind, WATCHED_KINDS, type WatchedKind } from './object-json.ts';

export interface WatchRequest {
  /** Send all changes after this index first; undefined: from now on. */
  readonly since: number | undefined;
  readonly kinds: readonly WatchedKind[];
  /** Begin with all objects that exist. */
  readonly list: boolean;
}

/** `?since=INDEX&kinds=service,task&list=1`. Throws badRequest naming the parameter. */
export function parseWatchRequest(url: string): WatchRequest {
  const query = new URL(url, 'http://socket').searchParams;
  const since = query.get('since') ?? '';
  if (!/^\d{0,15}$/.test(since)) throw badRequest(`since="${since}": give the index a watch reached, a whole number`);
  const kinds = (query.get('kinds') ?? '').split(',').filter((kind) => kind !== '');
  const unknown = kinds.find((kind) => !isWatchedKind(kind));
  if (unknown !== undefined) throw badRequest(`kinds: "${unknown}" is none of ${WATCHED_KINDS.join(', ')}`);
  const list = ['1', 'true'].includes(query.get('list') ?? '');
  if (list && since !== '')
    throw badRequest('list and since exclude each other: list for a first look, since to resume');
  return {
    since: since === '' ? undefined : Number(since),
    kinds: kinds.length > 0 ? kinds.filter(isWatchedKind) : WATCHED_KINDS,
    list,
  };
}

/**
 * Versions of the Docker Engine API: which one a request speaks, which ones are served. All are "1.<minor>", so a
 * version is kept as its minor number.
 */
import { badRequest } from './http-error.ts';

/** Oldest and newest version whose requests are understood. */
export const MIN_API_MINOR = 24;
export const MAX_API_MINOR = 51;

/** Version advertised unless told otherwise: that of the reference this API is compared with. */
export const DEFAULT_API_VERSION = '1.41';

const PREFIX = /^\/v(\d+)(?:\.(\d+))?(?=\/)/;

/** The URL without its version prefix. */
export const withoutVersion = (url: string): string => url.replace(PREFIX, '');

/** Minor version of a request's URL; that of the server when it names none. Throws badRequest when it is not served. */
export function requestedMinor(url: string, serverMinor: number): number {
  const match = PREFIX.exec(url);
  if (!match) return serverMinor;
  const [major = 0, minor = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const asked = match[2] === undefined ? String(major) : `${major}.${minor}`;
  if (major > 1 || (major === 1 && minor > MAX_API_MINOR)) {
    throw badRequest(`client version ${asked} is too new. Maximum supported API version is 1.${MAX_API_MINOR}`);
  }
  if (major < 1 || minor < MIN_API_MINOR) {
    throw badRequest(
      `client version ${asked} is too old. Minimum supported API version is 1.${MIN_API_MINOR}, please upgrade your client to a newer version`,
    );
  }
  return minor;
}

/** Minor version of the `apiVersion` setting. Throws badRequest naming the value. */
export function parseApiVersion(text: string): number {
  const minor = Number(/^1\.(\d+)$/.exec(text)?.[1] ?? Number.NaN);
  if (!(minor >= MIN_API_MINOR && minor <= MAX_API_MINOR)) {
    throw badRequest(`API version "${text}": use 1.${MIN_API_MINOR} to 1.${MAX_API_MINOR}`);
  }
  return minor;
}

/**
 * How the text of a setting is read. Each reader returns the value, or throws InvalidArgumentError with the remedy; whoever
 * asks adds the name of the setting and what was given.
 */
import { InvalidArgumentError } from 'commander';
import { parseApiVersion } from '../api/api-version.ts';
import { parseListenAddress } from '../api/listen-address.ts';
import { errorText } from '../common/errors.ts';
import { parseDurationMs } from '../common/time.ts';
import { parseJoinToken } from '../identity/join-token.ts';
import type { RangeMs } from '../worker/drivers/hollow-driver.ts';
import { advertisedHost, parseHostPort, withDefaultPort } from './addresses.ts';

export const integer =
  (from: number, to: number, remedy = '') =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < from || value > to)
      throw new InvalidArgumentError(`Give a whole number from ${from} to ${to}${remedy}.`);
    return value;
  };

/** Milliseconds from a text such as "500ms". */
export const duration =
  (shortest: string, longest: string) =>
  (text: string): number => {
    const value = attempt(() => parseDurationMs(text));
    if (value < parseDurationMs(shortest) || value > parseDurationMs(longest))
      throw new InvalidArgumentError(`Give a time from ${shortest} to ${longest}.`);
    return value;
  };

/** "100ms..2s", or one time for all. */
export function durationRange(text: string): RangeMs {
  const [from = '', to = from, ...more] = text.split('..');
  let times: RangeMs | undefined;
  try {
    times = [parseDurationMs(from), parseDurationMs(to)];
  } catch {
    // Said below.
  }
  if (!times || more.length > 0 || times[0] > times[1])
    throw new InvalidArgumentError('Give a time like 500ms, or the shortest and the longest like 100ms..2s.');
  return times;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Give a number from 0 (none) to 1 (all).');
}

/** A version of the Docker API that is understood. */
export function apiVersion(text: string): string {
  attempt(() => parseApiVersion(text));
  return text;
}

export function present(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

export function label(text: string): string {
  if (!/^[^=\s]+(=.*)?$/.test(text)) throw new InvalidArgumentError('Write key=value.');
  return text;
}

/** host:port, a host alone, or the name of a network interface. */
export function address(text: string): string {
  attempt(() => parseHostPort(withDefaultPort(text)));
  return text;
}

/** An address that others can reach. */
export function reachableAddress(text: string): string {
  attempt(() => advertisedHost(present(text), { host: '0.0.0.0', port: 0 }, []));
  return text;
}

export function apiAddress(text: string): string {
  attempt(() => parseListenAddress(text));
  return text;
}

export function engineAddress(text: string): string {
  if (!/^(unix:\/\/\/.+|(tcp|https?):\/\/[^/\s]+)/.test(text))
    throw new InvalidArgumentError('Write unix:///path/of/socket or tcp://host:port.');
  return text;
}

export function joinToken(text: string): string {
  attempt(() => parseJoinToken(text));
  return text;
}

export function yesOrNo(text: string): boolean {
  if (/^(true|1|yes)$/i.test(text)) return true;
  if (/^(false|0|no)$/i.test(text)) return false;
  throw new InvalidArgumentError('Write true or false.');
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}

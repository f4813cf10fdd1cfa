/** Addresses as users write them: host:port, a host alone, an interface name; and the one others should use. */
import { createServer, isIP } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { SwarmError } from '../common/errors.ts';

const DEFAULT_PORT = 2377;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Throws invalidArgument naming the text. */
export function parseHostPort(text: string): HostPort {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s/]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535)
    throw new SwarmError('invalidArgument', `invalid address "${text}": write host:port, for example 10.0.0.1:2377`);
  return { host: hostOf(match[1] as string), port };
}

/** Whether a port can be listened on at this moment. */
export const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });

/** Adds the default port where there is none; interface names become addresses. */
export function withDefaultPort(text: string): string {
  const bare = text.replace(/^tcp:\/\//, '');
  return /^(\[.*\]|[^:]+):\d+$/.test(bare) ? bare : `${hostOf(bare)}:${DEFAULT_PORT}`;
}

/**
 * Where others reach this node: what was asked for, else the address listened on, else the one that leads to the managers
 * (loopback when they are on loopback), else the first outside address of the machine.
 */
export function advertisedHost(
  wanted: string,
  listen: HostPort,
  managers: readonly string[],
): { readonly host: string; readonly port?: number } {
  if (wanted !== '') {
    const { host, port } = parseHostPort(withDefaultPort(wanted));
    if (isAnyAddress(host))
      throw new SwarmError(
        'invalidArgument',
        `advertise address "${wanted}": others cannot reach it; name an address or a network interface of this machine`,
      );
    return /:\d+$/.test(wanted) ? { host, port } : { host };
  }
  if (!isAnyAddress(listen.host)) return { host: listen.host };
  const isLocal =
    managers.length > 0 && managers.every((address) => address.startsWith('127.') || address.startsWith('localhost:'));
  return { host: isLocal ? '127.0.0.1' : (outsideAddress() ?? '127.0.0.1') };
}

/**
 * How this machine reaches a manager of its own: others may do so at an address or port that is translated on its way, and
 * leads nowhere from here.
 */
export function localWay(advertised: string, listening: HostPort): string {
  const { host, port } = parseHostPort(advertised);
  const bare = host.replace(/^\[|\]$/g, '');
  const isOurs = isIP(bare) === 0 || ownAddresses().some(({ address }) => address === bare);
  if (isOurs && port === listening.port) return advertised;
  if (!isAnyAddress(listening.host)) return `${listening.host}:${listening.port}`;
  return `${listening.host.includes(':') ? '[::1]' : '127.0.0.1'}:${listening.port}`;
}

const isAnyAddress = (host: string): boolean => /^(0\.0\.0\.0|\[?::\]?)$/.test(host);

/** An interface name stands for its first IPv4 address. */
function hostOf(text: string): string {
  const addresses = networkInterfaces()[text];
  return addresses?.find((a) => a.family === 'IPv4')?.address ?? text;
}

const outsideAddress = (): string | undefined =>
  ownAddresses().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const ownAddresses = (): readonly NetworkInterfaceInfo[] =>
  Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

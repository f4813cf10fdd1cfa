/** The addresses people give a node when it makes a swarm or joins one: an IP address or the name of an interface. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { badRequest } from '../http-error.ts';

/** Throws badRequest unless one is given, whatever it is. */
export function requireSomeListenAddress(text: string | undefined): string {
  if (!text) throw badRequest('invalid ListenAddr "": invalid empty address');
  return text;
}

/** Throws badRequest. */
export function requireListenAddress(given: string | undefined): string {
  const text = requireSomeListenAddress(given);
  if (isAddress(hostOf(text))) return text;
  throw badRequest('listen address must be an IP address or network interface (with optional port number)');
}

/** Empty when the node is to choose. Throws badRequest. */
export function advertiseAddress(text = ''): string {
  if (text === '' || isReachable(hostOf(text))) return text;
  throw badRequest('advertise address must be a non-zero IP address or network interface (with optional port number)');
}

/** Empty when it is the one advertised. Throws badRequest. */
export function dataPathAddress(text = ''): string {
  if (text === '' || isReachable(text)) return text;
  throw badRequest('data path address must be a non-zero IP address or network interface (without a port number)');
}

function hostOf(text: string): string {
  if (isIP(text) !== 0) return text;
  const [, bracketed, plain] = /^(?:tcp:\/\/)?(?:\[([^\]]*)\]|([^:]*))(?::[^:]*)?$/.exec(text) ?? [];
  return bracketed ?? plain ?? text;
}

const isAddress = (host: string): boolean => isIP(host) !== 0 || networkInterfaces()[host] !== undefined;

const isReachable = (host: string): boolean => isAddress(host) && host !== '0.0.0.0' && host !== '::';

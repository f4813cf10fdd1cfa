/** Where the API listens: "unix:///path", or "tcp://host:port". */
import { SwarmError } from '../common/errors.ts';

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Throws invalidArgument naming the address. */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix://') && text.length > 'unix://'.length) {
    return { kind: 'unix', path: text.slice('unix://'.length) };
  }
  const tcp = /^tcp:\/\/(\[[^\]]+\]|[^:[\]]*):(\d{1,5})$/.exec(text);
  const port = Number(tcp?.[2] ?? Number.NaN);
  if (tcp?.[1] === undefined || !(port <= 65_535)) {
    throw new SwarmError('invalidArgument', `API address "${text}": write unix:///path/of/socket or tcp://host:port`);
  }
  return { kind: 'tcp', host: tcp[1].replace(/^\[|\]$/g, ''), port };
}

/** Only this machine can reach it. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

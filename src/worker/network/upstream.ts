/** The name servers of this machine, for containers to go on with what is not the swarm's. */
import { getServers } from 'node:dns';
import { readFile } from 'node:fs/promises';

/** Where systemd-resolved lists the servers behind its own loopback address. */
const BEHIND_RESOLVED = '/run/systemd/resolve/resolv.conf';

/** IPv4 addresses that a container can reach: a loopback address would be its own. */
export async function upstreamServers(): Promise<readonly string[]> {
  const own = getServers().filter(isReachable);
  if (own.length > 0) return own;
  const text = await readFile(BEHIND_RESOLVED, 'utf8').catch(() => '');
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server = '']) => server).filter(isReachable);
}

const isReachable = (server: string): boolean => /^[\d.]+$/.test(server) && !server.startsWith('127.');

/** Puts a ruleset into the kernel of this host, with what the kernel needs beside it. */
import { readFile, writeFile } from 'node:fs/promises';
import { NetworkNamespace } from '../network/namespace.ts';
import { CONNECTION_MARK } from './ruleset.ts';

const here = NetworkNamespace.own;

/** What the balancer asks of the kernel. */
export interface Kernel {
  canBalance(): Promise<boolean>;
  load(ruleset: string): Promise<unknown>;
  allowPassage(): Promise<void>;
}

/** Whether this agent may change the address translation of the host: it is root, and has nft and a kernel for it. */
async function canBalance(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return here.run('nft', ['list', 'tables']).then(
    () => true,
    () => false,
  );
}

/** Whether what passes a bridge of this host passes its address translation too, as virtual addresses need. */
export async function canBalanceOnBridges(): Promise<boolean> {
  const setting = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  if (!(await canBalance())) return false;
  await here.run('modprobe', ['br_netfilter']).catch(() => undefined);
  await writeFile(setting, '1').catch(() => undefined);
  return (await readFile(setting, 'utf8').catch(() => '')).trim() === '1';
}

const load = (ruleset: string): Promise<string> => here.run('nft', ['-f', '-'], ruleset);

/** Lets connections that are led on pass through this host, whatever the engine's firewall says of strangers. */
async function allowPassage(): Promise<void> {
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  // For clients on this host that use its loopback address.
  await writeFile('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
  const rule = ['DOCKER-USER', '-m', 'connmark', '--mark', CONNECTION_MARK, '-j', 'ACCEPT'];
  const isThere = await here.run('iptables', ['-w', '-C', ...rule]).then(
    () => true,
    () => false,
  );
  // Without an engine there is no such chain, and nobody to ask.
  if (!isThere) await here.run('iptables', ['-w', '-I', ...rule]).catch(() => undefined);
}

/**
 * Lets the task at an address meet itself: what is led back to it leaves its bridge by the port it came from, which
 * bridges refuse unless told otherwise.
 */
export async function allowReflection(address: string): Promise<void> {
  const [, bridge] = / dev (\S+)/.exec(await here.run('ip', ['-o', 'route', 'get', address])) ?? [];
  const ports = JSON.parse(await here.run('bridge', ['-j', 'link', 'show'])) as readonly {
    readonly ifname: string;
    readonly master?: string;
  }[];
  const own = ports.filter(({ master }) => master !== undefined && master === bridge);
  await here.run('bridge', ['-batch', '-'], own.map(({ ifname }) => `link set dev ${ifname} hairpin on\n`).join(''));
}

export const ownKernel: Kernel = { canBalance, load, allowPassage };

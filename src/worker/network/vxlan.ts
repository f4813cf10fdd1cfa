/**
 * One overlay network's way to other nodes: a VXLAN device (RFC 7348) on the network's bridge. Nothing is flooded or
 * learned: the managers say where every address is, and the device answers for those that are elsewhere (ARP proxy).
 */
import { networkInterfaces } from 'node:os';
import type { NetworkNamespace } from './namespace.ts';
import { hardwareAddress } from './overlay.ts';

export interface VxlanOptions {
  readonly namespace: NetworkNamespace;
  readonly bridge: string;
  readonly vxlanId: number;
  /** UDP port. */
  readonly port: number;
  readonly mtu: string;
}

export class VxlanDevice {
  readonly #options: VxlanOptions;
  /** Node addresses by the address of the task. */
  #peers = new Map<string, string>();

  private constructor(options: VxlanOptions) {
    this.#options = options;
  }

  /** Makes the device; one that an earlier run of the agent left is replaced, for what it knows may be out of date. */
  static async make(options: VxlanOptions): Promise<VxlanDevice> {
    const device = new VxlanDevice(options);
    const { namespace, bridge, vxlanId, port, mtu } = options;
    await device.remove();
    const kind = ['type', 'vxlan', 'id', String(vxlanId), 'dstport', String(port), 'nolearning', 'proxy'];
    await namespace.run('ip', ['link', 'add', device.#name, 'mtu', mtu, ...kind]);
    await namespace.run('ip', ['link', 'set', device.#name, 'master', bridge, 'up']);
    return device;
  }

  /** Leads to these tasks and to no others. */
  async lead(peers: ReadonlyMap<string, string>): Promise<void> {
    const gone = [...this.#peers].filter(([address, node]) => peers.get(address) !== node);
    const come = [...peers].filter(([address, node]) => this.#peers.get(address) !== node);
    if (gone.length === 0 && come.length === 0) return;
    const { namespace } = this.#options;
    // One that moved is deleted first; force: an entry may be gone already.
    await namespace.run(
      'bridge',
      ['-force', '-batch', '-'],
      lines([...gone.map(this.#forget), ...come.map(this.#learn)]),
    );
    await namespace.run(
      'ip',
      ['-force', '-batch', '-'],
      lines([...gone.map(this.#silence), ...come.map(this.#answerFor)]),
    );
    this.#peers = new Map(peers);
  }

  async remove(): Promise<void> {
    await this.#options.namespace.run('ip', ['link', 'del', this.#name]).catch(() => undefined);
  }

  get #name(): string {
    return `vx-${this.#options.vxlanId.toString(16).padStart(6, '0')}`;
  }

  readonly #learn = ([address, node]: readonly [string, string]): string =>
    `fdb replace ${hardwareAddress(address)} dev ${this.#name} dst ${node} self permanent`;
  readonly #forget = ([address, node]: readonly [string, string]): string =>
    `fdb del ${hardwareAddress(address)} dev ${this.#name} dst ${node} self`;
  readonly #answerFor = ([address]: readonly [string, string]): string =>
    `neigh replace ${address} lladdr ${hardwareAddress(address)} dev ${this.#name} nud permanent`;
  readonly #silence = ([address]: readonly [string, string]): string => `neigh del ${address} dev ${this.#name}`;
}

const lines = (commands: readonly string[]): string => `${commands.join('\n')}\n`;

/** Whether this agent may make network devices: it is root, and has the programs and a kernel for it. */
export async function canMakeVxlan(namespace: NetworkNamespace): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const probe = `vx-probe-${process.pid % 100_000}`;
  try {
    await namespace.run('ip', ['link', 'add', probe, 'type', 'vxlan', 'id', '1', 'dstport', '4789']);
    await namespace.run('ip', ['link', 'del', probe]);
    await namespace.run('bridge', ['-Version']);
    return true;
  } catch {
    return false;
  }
}

/** Whether another node can be reached at this address from here; loopback is everybody's own. */
export const isReachableNode = (address: string): boolean =>
  /^[\d.]+$/.test(address) &&
  !address.startsWith('127.') &&
  !Object.values(networkInterfaces()).some((interfaces) => interfaces?.some((own) => own.address === address));

/** IPv4 subnets and the addresses inside one. */
import { parseIpAddress, parseIpNetwork } from '../placement/ip-network.ts';

/** An IPv4 subnet: its first address as a number, and how many bits are fixed. */
export interface Subnet {
  readonly base: number;
  readonly prefixLength: number;
}

/** Undefined when the text is not an IPv4 network in CIDR form. */
export function parseSubnet(text: string): Subnet | undefined {
  const network = parseIpNetwork(text);
  if (!network || network.address.family !== 4) return undefined;
  const size = sizeOf(network.prefixLength);
  return { base: Math.floor(Number(network.address.bits) / size) * size, prefixLength: network.prefixLength };
}

/** Undefined when the text is not an IPv4 address. A prefix length after it is ignored. */
export function parseIpv4(text: string): number | undefined {
  const address = parseIpAddress(text.split('/')[0] ?? '');
  return address?.family === 4 ? Number(address.bits) : undefined;
}

export const formatIpv4 = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

export const formatSubnet = ({ base, prefixLength }: Subnet): string => `${formatIpv4(base)}/${prefixLength}`;

const sizeOf = (prefixLength: number): number => 2 ** (32 - prefixLength);

export const subnetsOverlap = (a: Subnet, b: Subnet): boolean =>
  a.base < b.base + sizeOf(b.prefixLength) && b.base < a.base + sizeOf(a.prefixLength);

/** The first piece of `pool` with this prefix length that overlaps none of `taken`; undefined when there is none. */
export function freeSubnet(pool: Subnet, prefixLength: number, taken: readonly Subnet[]): Subnet | undefined {
  const end = pool.base + sizeOf(pool.prefixLength);
  const step = sizeOf(prefixLength);
  for (let base = pool.base; base + step <= end;) {
    const candidate = { base, prefixLength };
    const obstacle = taken.find((subnet) => subnetsOverlap(subnet, candidate));
    if (!obstacle) return candidate;
    base = Math.max(base + step, Math.ceil((obstacle.base + sizeOf(obstacle.prefixLength)) / step) * step);
  }
  return undefined;
}

/** Addresses of one subnet. They are handed out in turn, so that a freed one rests before somebody else gets it. */
export class AddressSpace {
  readonly subnet: Subnet;
  readonly #range: Subnet;
  readonly #taken = new Set<number>();
  #next: number;

  /** @param range the part of the subnet that addresses are chosen from; all of it unless given */
  constructor(subnet: Subnet, range: Subnet = subnet) {
    this.subnet = subnet;
    this.#range = range;
    this.#next = range.base;
    if (subnet.prefixLength < 31) {
      this.#taken.add(subnet.base);
      this.#taken.add(subnet.base + sizeOf(subnet.prefixLength) - 1);
    }
  }

  /** Takes one address; false when it is taken already or outside. */
  take(address: number): boolean {
    const { base, prefixLength } = this.subnet;
    if (address < base || address >= base + sizeOf(prefixLength) || this.#taken.has(address)) return false;
    this.#taken.add(address);
    return true;
  }

  /** Takes a free address; undefined when there is none. */
  takeAny(): number | undefined {
    const size = sizeOf(this.#range.prefixLength);
    for (let i = 0; i < size; i++) {
      const address = this.#range.base + ((this.#next - this.#range.base + i) % size);
      if (!this.take(address)) continue;
      this.#next = address + 1;
      return address;
    }
    return undefined;
  }

  release(address: number): void {
    const { base, prefixLength } = this.subnet;
    const isReserved = prefixLength < 31 && (address === base || address === base + sizeOf(prefixLength) - 1);
    if (!isReserved) this.#taken.delete(address);
  }

  /** An address as objects carry it, with the prefix length of the subnet. */
  format(address: number): string {
    return `${formatIpv4(address)}/${this.subnet.prefixLength}`;
  }
}

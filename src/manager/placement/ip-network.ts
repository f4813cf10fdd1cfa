/** IP addresses and networks as numbers, for `node.ip` constraints. Both families; IPv4 inside IPv6 counts as IPv4. */

export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

export interface IpNetwork {
  /** Any address of the network; host bits are ignored. */
  readonly address: IpAddress;
  readonly prefixLength: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;
/** ::ffff:0:0/96, the IPv6 way to write IPv4 addresses. */
const MAPPED_PREFIX = 0xffffn;

/** Undefined when the text is not an address. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const address = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (address?.family === 6 && address.bits >> 32n === MAPPED_PREFIX)
    return { family: 4, bits: address.bits & 0xffff_ffffn };
  return address;
}

/** Undefined when the text is not "address/length". */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [addressText = '', lengthText = '', ...rest] = text.split('/');
  const address = parseIpAddress(addressText);
  if (!address || rest.length > 0 || !/^\d{1,3}$/.test(lengthText)) return undefined;
  // A mapped address keeps the length that was written for its 128 bits.
  const prefixLength = Number(lengthText) - (addressText.includes(':') && address.family === 4 ? 96 : 0);
  if (prefixLength < 0 || prefixLength > WIDTH[address.family]) return undefined;
  return { address, prefixLength };
}

export const sameAddress = (a: IpAddress, b: IpAddress): boolean => a.family === b.family && a.bits === b.bits;

export function networkHas(network: IpNetwork, address: IpAddress): boolean {
  const { family, bits } = network.address;
  const hostBits = BigInt(WIDTH[family] - network.prefixLength);
  return family === address.family && bits >> hostBits === address.bits >> hostBits;
}

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    // Leading zeros are refused: some read them as octal.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return { family: 4, bits };
}

function parseIpv6(text: string): IpAddress | undefined {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  if (tail.includes('.')) {
    const v4 = parseIpv4(tail);
    if (!v4) return undefined;
    const [high, low] = [v4.bits >> 16n, v4.bits & 0xffffn];
    return parseIpv6(`${text.slice(0, lastColon + 1)}${high.toString(16)}:${low.toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groupsOf = (half: string | undefined): readonly string[] => (half ? half.split(':') : []);
  const [head, end] = [groupsOf(halves[0]), groupsOf(halves[1])];
  const missing = 8 - head.length - end.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let bits = 0n;
  for (const group of [...head, ...Array<string>(missing).fill('0'), ...end]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    bits = (bits << 16n) | BigInt(`0x${group}`);
  }
  return { family: 6, bits };
}

/** {@link Routes} as a table of nftables: the kernel leads each new connection to the backends in turn. Pure. */
import type { AddressRoute, Backend, PortRoute, Routes } from './routes.ts';

/** On the connections that are led somewhere; other firewalls may know them by it. */
export const CONNECTION_MARK = '0x73776d64';
/** Before the address translation of the engine. */
const BEFORE_ENGINES = { destination: -105, source: 95 };

const lines = (...parts: readonly (string | readonly string[])[]): readonly string[] => parts.flat();
const chain = (name: string, body: readonly string[]): readonly string[] => lines(`chain ${name} {`, body, '}');

/** A script that puts the table in place of the one before, in one step; one without routes removes it. */
export function rulesetOf(table: string, routes: Routes): string {
  const replaced = [`table ip ${table}`, `delete table ip ${table}`];
  if (routes.ports.length === 0 && routes.addresses.length === 0) return `${replaced.join('\n')}\n`;
  const backends = new BackendChains();
  const services = [
    ...routes.ports.flatMap((route) => [
      ...balanced(`${nameOf(route)}_everywhere`, route.everywhere, backends),
      ...balanced(`${nameOf(route)}_here`, route.here, backends),
    ]),
    ...routes.addresses.flatMap((route) => balanced(nameOfAddress(route), route.backends, backends)),
  ];
  const toAddresses = routes.addresses.map((route) => `${route.address} : goto ${nameOfAddress(route)}`);
  const body = lines(
    ...(routes.nodes.length > 0 ? [`set nodes { type ipv4_addr; elements = { ${routes.nodes.join(', ')} } }`] : []),
    backends.chains,
    services,
    chain('ports', portRules(routes)),
    // Loopback addresses of this host are reached from elsewhere no more than before.
    chain('guard', ['type filter hook prerouting priority raw', 'iifname != "lo" ip daddr 127.0.0.0/8 drop']),
    chain('prerouting', [
      `type nat hook prerouting priority ${BEFORE_ENGINES.destination}`,
      ...(toAddresses.length > 0 ? [`ip daddr vmap { ${toAddresses.join(', ')} }`] : []),
      'fib daddr type local jump ports',
    ]),
    chain('output', [`type nat hook output priority ${BEFORE_ENGINES.destination}`, 'fib daddr type local jump ports']),
    chain('postrouting', [
      `type nat hook postrouting priority ${BEFORE_ENGINES.source}`,
      `ct mark != ${CONNECTION_MARK} accept`,
      'ct status & dnat == 0 accept',
      'oifname != "lo" ip saddr 127.0.0.0/8 masquerade',
      // The other node answers this one, not the client.
      ...(routes.nodes.length > 0 ? ['ip daddr @nodes masquerade'] : []),
      // A task that meets itself would answer itself.
      ...routes.ownAddresses.map((address) => `ip saddr ${address} ip daddr ${address} masquerade`),
    ]),
  );
  return `${[...replaced, `table ip ${table} {`, ...body, '}'].join('\n')}\n`;
}

const nameOf = ({ protocol, port }: PortRoute): string => `${protocol}_${port}`;
const nameOfAddress = ({ address }: AddressRoute): string => `to_${address.replaceAll('.', '_')}`;

/** Connections sent on by another node stay here. */
function portRules({ ports, nodes }: Routes): readonly string[] {
  const rules: string[] = [];
  for (const protocol of ['tcp', 'udp', 'sctp'] as const) {
    const own = ports.filter((route) => route.protocol === protocol);
    const to = (which: string, some: readonly PortRoute[]): string =>
      `${protocol} dport vmap { ${some.map((route) => `${route.port} : goto ${nameOf(route)}_${which}`).join(', ')} }`;
    const here = own.filter((route) => route.here.length > 0);
    if (nodes.length > 0 && here.length > 0) rules.push(`ip saddr @nodes ${to('here', here)}`);
    if (own.length > 0) rules.push(to('everywhere', own));
  }
  return rules;
}

function balanced(name: string, among: readonly Backend[], backends: BackendChains): readonly string[] {
  if (among.length === 0) return [];
  const choices = among.map((backend, i) => `${i} : goto ${backends.nameOf(backend)}`);
  return chain(name, [
    `ct mark set ${CONNECTION_MARK}`,
    `numgen inc mod ${among.length} vmap { ${choices.join(', ')} }`,
  ]);
}

/** A chain for each backend, for the kernel can choose among chains whatever they do. */
class BackendChains {
  readonly #names = new Map<string, string>();

  nameOf({ address, port }: Backend): string {
    const target = port === undefined ? address : `${address ?? ''}:${port}`;
    const rule = address === undefined ? `redirect to ${target}` : `dnat to ${target}`;
    let name = this.#names.get(rule);
    if (name === undefined) this.#names.set(rule, (name = `backend_${this.#names.size}`));
    return name;
  }

  get chains(): readonly string[] {
    return [...this.#names].flatMap(([rule, name]) => {
      const protocols = rule.includes(':') ? 'meta l4proto { tcp, udp, sctp } ' : '';
      return chain(name, [`${protocols}${rule}`]);
    });
  }
}

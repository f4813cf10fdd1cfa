/** Published ports: "8080:80", "8080-8090:80-90/udp", "80", or a map of target, published, protocol and mode. */
import type { Field } from './field.ts';
import { keyedList, oneOf, struct, value, type Shape } from './shape.ts';
import { UNUSED } from './unused-fields.ts';

export interface ComposePort {
  readonly target: number;
  /** 0 lets the swarm choose. */
  readonly published: number;
  readonly protocol: string;
  readonly mode: string;
}

const portNumber = value((field) => {
  const port = field.wholeNumber();
  if (port < 0 || port > 65_535) throw field.wrong(`${port} is not a port`, 'give a number from 1 to 65535');
  return port;
});

const longForm = struct(
  {
    target: portNumber,
    published: portNumber,
    protocol: oneOf('tcp', 'udp', 'sctp'),
    mode: oneOf('ingress', 'host'),
  },
  { unused: UNUSED.port },
);

export const ports: Shape<readonly ComposePort[]> = keyedList(
  (field) => (field.isMap ? [longPort(field)] : shortPorts(field)),
  // What is published where the swarm chooses is told apart by where it leads.
  ({ published, target, protocol }) => `${published === 0 ? `:${target}` : published}/${protocol}`,
);

function longPort(field: Field): ComposePort {
  const { target, published = 0, protocol = 'tcp', mode = 'ingress' } = longForm.read(field);
  if (target === undefined) throw field.wrong('has no target', 'name the port inside the container with target: 80');
  return { target, published, protocol, mode };
}

const SHORT =
  /^(?:(?:(?<ip>\[[^\]]*\]|[^:]*):)?(?<published>\d+(?:-\d+)?)?:)?(?<target>\d+(?:-\d+)?)(?:\/(?<protocol>\w+))?$/;

function shortPorts(field: Field): readonly ComposePort[] {
  const text = field.text();
  const form = 'write 8080:80, 8080-8090:80-90 or 8080:80/udp';
  const parts = SHORT.exec(text)?.groups;
  if (!parts) throw field.wrong(`"${text}" is not a port`, form);
  const protocol = (parts['protocol'] ?? 'tcp').toLowerCase();
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw field.wrong(`the protocol ${protocol} is not known`, 'use tcp, udp or sctp');
  }
  const targets = range(parts['target'] ?? '');
  const isChosen = parts['published'] !== undefined && parts['published'] !== '0';
  const published = isChosen ? range(parts['published'] ?? '') : undefined;
  if (!targets || (isChosen && !published)) {
    throw field.wrong(`"${text}" is out of range`, 'ports go from 1 to 65535, and ranges upwards');
  }
  if (!['', '0.0.0.0', '[::]'].includes(parts['ip'] ?? '')) {
    field.warn(`the address of "${text}" is left out`, 'a swarm publishes ports on all addresses of a node');
  }
  const port = (target: number, to: number): ComposePort => ({ target, published: to, protocol, mode: 'ingress' });
  if (!published) return targets.map((target) => port(target, 0));
  // A range published for a single port: each of its ports leads there.
  if (targets.length === 1) return published.map((to) => port(targets[0] ?? 0, to));
  if (published.length !== targets.length) throw field.wrong(`the ranges of "${text}" differ in length`, form);
  return targets.map((target, i) => port(target, published[i] ?? 0));
}

function range(text: string): readonly number[] | undefined {
  const [first = 0, last = first] = text.split('-').map(Number);
  if (first < 1 || last < first || last > 65_535) return undefined;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

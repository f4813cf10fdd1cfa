/**
 * Answers DNS queries of containers from the {@link Directory}. Engines pass on what they do not know themselves to the
 * servers a container was given: this one first. It refuses names that are not the swarm's, and the engine asks the next.
 */
import type dgram from 'node:dgram';
import packet, { type Answer, type Packet } from 'dns-packet';
import type { Logger } from '../../common/log.ts';
import { shuffled, type Random } from '../../common/random.ts';
import type { Directory } from './directory.ts';

/** Low: a task may be replaced at any time. In seconds. */
const TTL_S = 1;
const REFUSED = 5;
/** What any client takes over UDP, in bytes. */
const PLAIN_UDP_BYTES = 512;
const REVERSED_ADDRESS = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa\.?$/i;

/** What there is to know, for the one who asks. */
export interface Names {
  /** Empty when nobody goes by the name. */
  addressesOf(name: string): readonly string[];
  /** Undefined when nobody has the address. */
  nameOf(address: string): string | undefined;
}

/** The answer to a query; undefined when it is none. Queries for other records of a known name get an empty answer. */
export function answer(query: Buffer, names: Names): Buffer | undefined {
  const asked = decoded(query);
  const question = asked?.questions?.[0];
  if (asked?.type !== 'query' || !question) return undefined;
  const reply = (answers: readonly Answer[], code: number): Buffer =>
    packet.encode({
      type: 'response',
      id: asked.id ?? 0,
      flags: ((asked.flags ?? 0) & packet.RECURSION_DESIRED) | packet.RECURSION_AVAILABLE | code,
      questions: [question],
      answers: [...answers],
    });
  const reversed = REVERSED_ADDRESS.exec(question.name);
  if (reversed) {
    const known = names.nameOf(reversed.slice(1).toReversed().join('.'));
    if (known === undefined) return reply([], REFUSED);
    return reply(question.type === 'PTR' ? [{ type: 'PTR', name: question.name, ttl: TTL_S, data: known }] : [], 0);
  }
  const addresses = names.addressesOf(question.name);
  if (addresses.length === 0) return reply([], REFUSED);
  if (question.type !== 'A') return reply([], 0);
  const answers = addresses.map((data): Answer => ({ type: 'A', name: question.name, ttl: TTL_S, data }));
  // A client that gets some of many addresses can work; one that is sent to ask again over TCP cannot.
  for (let count = answers.length; count > 0; count--) {
    const message = reply(answers.slice(0, count), 0);
    if (message.length <= sizeLimit(asked)) return message;
  }
  return reply([], REFUSED);
}

function decoded(query: Buffer): Packet | undefined {
  try {
    return packet.decode(query);
  } catch {
    return undefined;
  }
}

function sizeLimit({ additionals }: Packet): number {
  const options = additionals?.find((record) => record.type === 'OPT');
  return Math.max(PLAIN_UDP_BYTES, options?.udpPayloadSize ?? 0);
}

/** Serves queries on a bound socket until it is closed. */
export function serveNames(socket: dgram.Socket, directory: Directory, random: Random, log: Logger): void {
  socket.on('message', (query, { address, port }) => {
    const message = answer(query, {
      addressesOf: (name) => shuffled(directory.lookUp(address, name), random),
      nameOf: (asked) => directory.nameOf(address, asked),
    });
    if (message) socket.send(message, port, address);
  });
  socket.on('error', (error) => log.warn({ err: error }, 'a query for a name could not be answered'));
}

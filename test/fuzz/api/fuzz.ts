/** Sends spoiled requests to a daemon's API and tells which answers are faults. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { seededRandom, type Random } from '../../../src/common/random.ts';
import { repositoryRoot } from '../../support/repository.ts';
import { mutate, placesOf, type Json, type Mutation } from './mutation.ts';

interface Recorded {
  readonly path: string;
  readonly body: Json;
}

/** Bodies the docker CLI sent, by path. */
const CORPUS = JSON.parse(
  readFileSync(join(repositoryRoot, 'test', 'fuzz', 'api', 'corpus.json'), 'utf8'),
) as readonly Recorded[];

/** Refusals Docker leaves unclassified, which clients know as 500. */
const KNOWN_500 =
  /network .* not found|unrecognized rollback option|unsupported registryAuthFrom value|does not have a previous spec|Invalid .* filter|choose at least one stream|tail value|strconv\./s;
/** Keys of maps are data; these hold nothing but that. */
const MAPS: ReadonlySet<string> = new Set(['Labels', 'Options', 'Sysctls', 'DriverOpts']);
const CONCURRENCY = 32;
const LONG_QUERY = 65_536;
const NAMED_PREFIX = 'fuzz-';
/** Name of the objects that stay. */
const KEPT = 'kept';

export interface FuzzOptions {
  readonly socketPath: string;
  readonly seed: number;
  readonly requests: number;
}

export interface FuzzReport {
  readonly sent: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** One text per answer that should not have been. */
  readonly faults: readonly string[];
}

export async function fuzz({ socketPath, seed, requests }: FuzzOptions): Promise<FuzzReport> {
  const random = seededRandom(seed);
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const byStatus: Record<string, number> = {};
  const faults: string[] = [];
  let sent = 0;
  const client = new Client(socketPath, agent);
  const targets = await targetsOf(client);
  const worker = async (): Promise<void> => {
    while (sent < requests) {
      const number = sent++;
      const { url, mutation } = nextRequest(targets, number, random);
      const answer = await client.send('POST', url, mutation.text);
      byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
      const why = faultOf(answer, mutation);
      if (why) faults.push(`#${number} ${url.slice(0, 80)} ${mutation.name} at ${mutation.path.join('.')}: ${why}`);
      if (number % 500 === 0) await breakConnections(socketPath, random);
      if (number % 1_000 === 999) await sweep(client);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  await sweep(client);
  if ((await client.send('GET', '/_ping')).status !== 200) faults.push('the daemon does not answer any more');
  agent.destroy();
  return { sent, byStatus, faults };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

class Client {
  readonly #socketPath: string;
  readonly #agent: Agent;

  constructor(socketPath: string, agent: Agent) {
    this.#socketPath = socketPath;
    this.#agent = agent;
  }

  send(method: string, path: string, body?: string): Promise<Answer> {
    return new Promise((resolve) => {
      const sending = request(
        {
          socketPath: this.#socketPath,
          agent: this.#agent,
          method,
          path,
          headers: body === undefined ? {} : { 'content-type': 'application/json' },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', () => resolve({ status: 0, text: 'cut' }));
        },
      );
      // A body over the limit is refused before it is read to its end.
      sending.on('error', (error) => resolve({ status: 0, text: error.message }));
      sending.end(body);
    });
  }

  async list(path: string): Promise<readonly { readonly ID: string; readonly Id: string; readonly Name: string }[]> {
    return JSON.parse((await this.send('GET', path)).text) as readonly { ID: string; Id: string; Name: string }[];
  }
}

/** Objects that updates are aimed at. */
async function targetsOf(client: Client): Promise<Readonly<Record<string, string>>> {
  const kept = async (kind: string, body: object): Promise<string> => {
    await client.send('POST', `/${kind}/create`, JSON.stringify({ Name: KEPT, ...body }));
    const found = JSON.parse((await client.send('GET', `/${kind}/${KEPT}`)).text) as { readonly ID: string };
    return found.ID;
  };
  return {
    services: await kept('services', { TaskTemplate: { ContainerSpec: { Image: 'a' } } }),
    secrets: await kept('secrets', { Data: 'YQ==' }),
    configs: await kept('configs', { Data: 'YQ==' }),
    nodes: (await client.list('/nodes'))[0]?.ID ?? '',
  };
}

function nextRequest(
  targets: Readonly<Record<string, string>>,
  number: number,
  random: Random,
): { readonly url: string; readonly mutation: Mutation } {
  const { path, body } = CORPUS[Math.floor(random() * CORPUS.length)] as Recorded;
  const kind = path.split('/')[1] ?? '';
  // Names are taken only once, and what is made is found again by them.
  const named = path.endsWith('/create') ? { ...(body as object), Name: `${NAMED_PREFIX}${number}` } : body;
  const places = placesOf(named);
  const place = places[Math.floor(random() * places.length)] ?? [];
  const version = random() < 0.5 ? '1' : ['', '-1', '18446744073709551615', 'x', '1e9'][Math.floor(random() * 5)];
  const padding = random() < 0.02 ? `&x=${'y'.repeat(LONG_QUERY)}` : '';
  const prefix = random() < 0.3 ? `/v1.${24 + Math.floor(random() * 27)}` : '';
  const query = path.endsWith('/update') ? `?version=${version}${padding}` : `?z=1${padding}`;
  return {
    url: `${prefix}${path.replace('{id}', targets[kind] ?? '')}${query}`,
    mutation: mutate(named, place, random),
  };
}

function faultOf({ status, text }: Answer, { mustName, path }: Mutation): string | undefined {
  if (status === 0) return `no answer (${text})`;
  if (status < 400) {
    const isInMap = path.slice(0, -1).some((part) => MAPS.has(String(part)));
    return mustName && !isInMap && !UNREAD.has(mustName) ? `${status} for a wrong type` : undefined;
  }
  const message = messageOf(text);
  if (!message) return `${status} without a message: ${text.slice(0, 100)}`;
  if (status === 500 && !KNOWN_500.test(message)) return `500: ${message.slice(0, 200)}`;
  if (
    status === 400 &&
    mustName &&
    message.startsWith('json:') &&
    !path.some((part) => message.includes(String(part)))
  ) {
    return `the field ${mustName} is not named: ${message.slice(0, 200)}`;
  }
  return undefined;
}

/** Fields clients send that mean nothing here. */
const UNREAD: ReadonlySet<string> = new Set(['Runtime']);

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { readonly message?: string }).message;
  } catch {
    return undefined;
  }
}

/** Removes what spoiled creates have made all the same. */
async function sweep(client: Client): Promise<void> {
  for (const kind of ['services', 'secrets', 'configs']) {
    for (const { ID, Spec } of (await client.list(`/${kind}`)) as unknown as readonly NamedObject[]) {
      if (Spec.Name !== KEPT) await client.send('DELETE', `/${kind}/${ID}`);
    }
  }
  for (const { Id, Name } of await client.list('/networks')) {
    if (Name !== 'ingress') await client.send('DELETE', `/networks/${Id}`);
  }
}

interface NamedObject {
  readonly ID: string;
  readonly Spec: { readonly Name?: string };
}

const BROKEN: readonly string[] = [
  '',
  'nonsense\r\n\r\n',
  'POST /services/create HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"Name":',
  'POST /services/create HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"Nam\r\nzz\r\n',
  'GET /events HTTP/1.1\r\nhost: x\r\n\r\n',
  'GET /services HTTP/1.1\r\nhost: x\r\nx: \u0000\r\n\r\n',
  `GET /${'a'.repeat(2_000_000)} HTTP/1.1\r\n\r\n`,
  'POST /containers/x/attach HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n',
];

/** Connections that stop in the middle, or speak no HTTP. */
async function breakConnections(socketPath: string, random: Random): Promise<void> {
  await Promise.all(
    BROKEN.map(
      (text) =>
        new Promise<void>((resolve) => {
          const socket = connect(socketPath);
          socket.on('error', () => resolve());
          socket.on('close', () => resolve());
          socket.resume();
          socket.write(text.slice(0, Math.ceil(text.length * (0.5 + random() / 2))), () => socket.destroy());
        }),
    ),
  );
}

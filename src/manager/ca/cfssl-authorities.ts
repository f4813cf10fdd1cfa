/**
 * Certificates made by an authority outside of the cluster (`swarm init --external-ca`): asked over HTTPS in the words of
 * CFSSL, with this manager's own certificate, as Docker asks it.
 */
import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { errorText, SwarmError } from '../../common/errors.ts';
import {
  CA_SERVER_NAME,
  chainsTo,
  createCrossSigningRequest,
  ROLE_UNIT,
  subjectOf,
  type KeyPair,
  type NodeSubject,
} from '../../identity/certificate.ts';
import type { ExternalCA } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { ExternalAuthorities } from './external-authority.ts';

const TIMEOUT_MS = 5_000;
/** A certificate with its chain and whatever is said beside it. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * Speaks CFSSL's words over HTTPS.
 * @param identity what this manager shows for itself
 */
export function cfsslAuthorities(identity: () => KeyPair): ExternalAuthorities {
  const ask = async (url: string, request: SignRequest, trusted: string): Promise<string> =>
    certificateIn(await posted(url, JSON.stringify(request), identity(), trusted));
  return {
    signNode: (authorities, csr, subject, root) =>
      firstOf('no external certificate authority signs', authorities, async ({ url, caCert }) => {
        const certificate = await ask(url, nodeRequest(csr, subject), root + caCert.toString('utf8'));
        requireFitting(certificate, subject, root);
        return certificate;
      }),
    crossSign: async (authorities, next, root) => {
      const request = await crossRequest(next);
      return firstOf('no external certificate authority certifies the next root', authorities, async ({ url }) => {
        const twin = await ask(url, request, root);
        if (!isTwin(twin, next.certificate)) throw new Error('what it signed is not the next root');
        if (!chainsTo(twin, root)) throw new Error('its certificate is not signed by the root of this cluster');
        return twin;
      });
    },
    reach: (authorities, root) =>
      firstOf('no external certificate authority can be reached', authorities, ({ url }) =>
        reached(url, identity(), root),
      ),
  };
}

/** What the first of the authorities gives that gives anything. Throws unavailable with what each of them failed with. */
async function firstOf<T>(
  failure: string,
  authorities: readonly ExternalCA[],
  ask: (authority: ExternalCA) => Promise<T>,
): Promise<T> {
  const failures: string[] = [];
  for (const authority of authorities) {
    try {
      return await ask(authority);
    } catch (error) {
      failures.push(`${authority.url}: ${errorText(error)}`);
    }
  }
  throw new SwarmError('unavailable', `${failure}: ${failures.join('; ')}`);
}

/** What CFSSL is asked to sign. */
interface SignRequest {
  readonly hosts?: readonly string[];
  readonly certificate_request: string;
  readonly subject: { readonly CN: string; readonly names: readonly Readonly<Record<string, string>>[] };
  /** Name of one of the authority's own rules; its default one if it is not said. */
  readonly profile?: string;
  /** Values are DER in hex. */
  readonly extensions?: readonly { readonly id: string; readonly critical: boolean; readonly value: string }[];
}

function nodeRequest(csr: string, { nodeId, role, clusterId }: NodeSubject): SignRequest {
  const unit = ROLE_UNIT[role];
  return {
    hosts: [unit, nodeId, ...(role === 'manager' ? [CA_SERVER_NAME] : [])],
    certificate_request: csr,
    subject: { CN: nodeId, names: [{ OU: unit, O: clusterId }] },
  };
}

/** CFSSL takes a profile of this name for one that may make authorities, as Docker does, and leaves extensions out that are not asked for. */
async function crossRequest(next: KeyPair): Promise<SignRequest> {
  const { csr, commonName, basicConstraints } = await createCrossSigningRequest(next);
  return {
    certificate_request: csr,
    subject: { CN: commonName, names: [] },
    profile: 'CA',
    extensions: [{ id: '2.5.29.19', critical: true, value: basicConstraints.toString('hex') }],
  };
}

/** Resolves when a server answers there that shows a certificate of this root. */
function reached(url: string, { certificate, key }: KeyPair, root: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== 'https:') throw new Error('its address does not begin with https://');
    // An address in brackets is one of IPv6.
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(port || 443), cert: certificate, key, ca: root, ...serverName(host) });
    const end = (error?: Error): void => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.setTimeout(TIMEOUT_MS, () => end(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    socket.once('secureConnect', () => end());
    socket.once('error', end);
  });
}

/** An address is no name a server could be asked for (RFC 6066 §3). */
const serverName = (host: string): { readonly servername?: string } => (isIP(host) === 0 ? { servername: host } : {});

function posted(url: string, body: string, { certificate, key }: KeyPair, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      cert: certificate,
      key,
      ca,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    const asking = request(url, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER_BYTES) asking.destroy(new Error('its answer is too long'));
      });
      answer.once('error', reject);
      answer.once('end', () => resolve(text));
    });
    asking.once('error', reject);
    asking.end(body);
  });
}

/** What CFSSL answers; the rest is not read. */
interface Answer {
  readonly success?: unknown;
  readonly result?: { readonly certificate?: unknown } | null;
  readonly errors?: readonly { readonly message?: unknown }[] | null;
}

function certificateIn(text: string): string {
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    throw new Error('its answer is no JSON');
  }
  const certificate = answer.result?.certificate;
  if (answer.success === true && typeof certificate === 'string') return certificate;
  const said = answer.errors?.map(({ message }) => String(message)).join(', ');
  throw new Error(said ? `it refuses: ${said}` : 'its answer holds no certificate');
}

/** Whether it certifies the same key under the same name, and may certify others. */
function isTwin(twin: string, root: string): boolean {
  const [one, other] = [new X509Certificate(twin), new X509Certificate(root)];
  return one.ca && one.subject === other.subject && one.publicKey.equals(other.publicKey);
}

/** A node with a certificate of another would be taken for that one, and one outside the root be refused by all. */
function requireFitting(certificate: string, subject: NodeSubject, rootBundle: string): void {
  const { nodeId, role, clusterId } = subjectOf(certificate);
  if (nodeId !== subject.nodeId || role !== subject.role || clusterId !== subject.clusterId)
    throw new Error(`it made out the certificate to ${role} ${nodeId} of ${clusterId}`);
  if (!chainsTo(certificate, rootBundle)) throw new Error('its certificate is not signed by the root of this cluster');
}

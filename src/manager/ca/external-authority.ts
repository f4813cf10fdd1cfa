/**
 * Certificates made by an authority outside of the cluster (`swarm init --external-ca`): asked over HTTPS in the words of
 * CFSSL, with this manager's own certificate, as Docker asks it.
 */
import { request } from 'node:https';
import { errorText, SwarmError } from '../../common/errors.ts';
import { normalisedPem } from '../../common/pem.ts';
import {
  CA_SERVER_NAME,
  chainsTo,
  ROLE_UNIT,
  subjectOf,
  type KeyPair,
  type NodeSubject,
} from '../../identity/certificate.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ExternalCA } from '../../proto/generated/docker/swarmkit/v1/types.ts';

const TIMEOUT_MS = 5_000;
/** A certificate with its chain and whatever is said beside it. */
const MAX_ANSWER_BYTES = 65_536;

/** Signs a request for a node; "PEM" both ways. Throws unavailable when none of the authorities does. */
export type SignExternally = (
  authorities: readonly ExternalCA[],
  csr: string,
  subject: NodeSubject,
  rootBundle: string,
) => Promise<string>;

/**
 * The authorities that sign for the root nodes are to have at the moment; none when the managers sign themselves. One that
 * names no root signs for the one before a rotation.
 */
export function externalAuthoritiesOf({ spec, rootCa }: Cluster): readonly ExternalCA[] {
  const rotation = rootCa?.rootRotation;
  const root = normalisedPem((rotation ?? rootCa)?.caCert.toString('utf8') ?? '');
  return (spec?.caConfig?.externalCas ?? []).filter(({ caCert }) => {
    const own = normalisedPem(caCert.toString('utf8'));
    return own === '' ? rotation === undefined : own === root;
  });
}

/** @param identity what this manager shows for itself */
export const externalSigner =
  (identity: () => KeyPair): SignExternally =>
  async (authorities, csr, subject, rootBundle) => {
    const unit = ROLE_UNIT[subject.role];
    const body = JSON.stringify({
      hosts: [unit, subject.nodeId, ...(subject.role === 'manager' ? [CA_SERVER_NAME] : [])],
      certificate_request: csr,
      subject: { CN: subject.nodeId, names: [{ OU: unit, O: subject.clusterId }] },
    });
    const failures: string[] = [];
    for (const { url, caCert } of authorities) {
      try {
        const certificate = certificateIn(await posted(url, body, identity(), rootBundle + caCert.toString('utf8')));
        requireFitting(certificate, subject, rootBundle);
        return certificate;
      } catch (error) {
        failures.push(`${url}: ${errorText(error)}`);
      }
    }
    throw new SwarmError('unavailable', `no external certificate authority signs: ${failures.join('; ')}`);
  };

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

/** A node with a certificate of another would be taken for that one, and one outside the root be refused by all. */
function requireFitting(certificate: string, subject: NodeSubject, rootBundle: string): void {
  const { nodeId, role, clusterId } = subjectOf(certificate);
  if (nodeId !== subject.nodeId || role !== subject.role || clusterId !== subject.clusterId)
    throw new Error(`it made out the certificate to ${role} ${nodeId} of ${clusterId}`);
  if (!chainsTo(certificate, rootBundle)) throw new Error('its certificate is not signed by the root of this cluster');
}

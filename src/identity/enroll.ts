/** Getting a node its certificate: pin the root by the join token, ask a manager to sign, wait for the answer. */
import type { Client } from '@grpc/grpc-js';
import { sleep, type Clock } from '../common/clock.ts';
import { errorText, isSwarmError, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { unary } from '../common/rpc-client.ts';
import { CAClient, NodeCAClient } from '../proto/generated/docker/swarmkit/v1/ca.ts';
import { IssuanceStatus_State, NodeRole } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { NodeSpec_Availability } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import { createSigningRequest, chainsTo, subjectOf, type KeyPair } from './certificate.ts';
import {
  anonymousCredentials,
  authorityChannelOptions,
  memberCredentials,
  unverifiedCredentials,
} from './client-credentials.ts';
import { parseJoinToken, rootDigest } from './join-token.ts';
import type { IdentityState } from './node-identity.ts';

const CALL_TIMEOUT_MS = 5_000;
const ATTEMPTS = 5;
const RETRY_DELAY_MS = 2_000;
const POLL_MAX_MS = 30_000;
/** An answer that has not come by then may never come: another request may have taken the place of this one. */
const ISSUANCE_TIMEOUT_MS = 120_000;

export interface EnrollEnvironment {
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A certificate with the roots it was checked against. */
export interface Enrollment extends KeyPair {
  readonly rootBundle: string;
}

/** What a new node shows and asks for. */
export interface Admission {
  readonly token: string;
  readonly availability: NodeSpec_Availability;
  /** Refuse a token for workers, instead of becoming what the token is for. Docker's managers do not know this wish. */
  readonly mustBeManager?: boolean | undefined;
}

/**
 * Joins with a token through the first manager that answers.
 * Throws invalidArgument (token malformed, refused, or for another cluster), unavailable (no manager answers).
 */
export async function enrollWithToken(
  managers: readonly string[],
  admission: Admission,
  environment: EnrollEnvironment,
): Promise<Enrollment> {
  parseJoinToken(admission.token);
  const attempt = async (address: string): Promise<Enrollment> => {
    const office = await openOffice(address, admission.token, environment.signal);
    return withClient(office.client, () => requestCertificate(office, admission, environment));
  };
  return tryManagers(managers, attempt, environment);
}

/**
 * Enrolls many nodes of one process over one connection and with one key, so that each costs a signature and no more:
 * every node gets an id and a certificate of its own. For pretend nodes.
 */
export class BulkEnrollment {
  readonly #managers: readonly string[];
  readonly #admission: Admission;
  readonly #environment: EnrollEnvironment;
  readonly #offices = new Map<string, Promise<Office>>();
  readonly #signingRequest = createSigningRequest();

  constructor(managers: readonly string[], admission: Admission, environment: EnrollEnvironment) {
    this.#managers = managers;
    this.#admission = admission;
    this.#environment = environment;
  }

  /** The next node. Throws as {@link enrollWithToken}. */
  enroll(): Promise<Enrollment> {
    const attempt = async (address: string): Promise<Enrollment> => {
      let office = this.#offices.get(address);
      if (!office) {
        office = openOffice(address, this.#admission.token, this.#environment.signal);
        this.#offices.set(address, office);
      }
      try {
        return await requestCertificate(await office, this.#admission, this.#environment, this.#signingRequest);
      } catch (error) {
        if (this.#offices.get(address) === office) this.#offices.delete(address);
        void office.then(({ client }) => client.close()).catch(() => undefined);
        throw error;
      }
    };
    return tryManagers(this.#managers, attempt, this.#environment);
  }

  close(): void {
    for (const office of this.#offices.values())
      void office.then(({ client }) => client.close()).catch(() => undefined);
    this.#offices.clear();
  }
}

/** Renews with the certificate in use; the role of the new one is what the managers hold of this node. */
export function renewCertificate(
  managers: readonly string[],
  current: IdentityState,
  environment: EnrollEnvironment,
): Promise<Enrollment> {
  return tryManagers(
    managers,
    (address) => {
      const client = new NodeCAClient(address, memberCredentials(current), authorityChannelOptions);
      const office = { client, rootBundle: current.rootBundle };
      return withClient(client, () => requestCertificate(office, { token: '', availability: 0 }, environment));
    },
    environment,
  );
}

async function tryManagers(
  managers: readonly string[],
  attempt: (address: string) => Promise<Enrollment>,
  { clock, log, signal }: EnrollEnvironment,
): Promise<Enrollment> {
  let last: unknown;
  for (let round = 0; round < ATTEMPTS; round++) {
    for (const address of managers) {
      try {
        return await attempt(address);
      } catch (error) {
        if (signal.aborted || !isTransient(error)) throw error;
        last = error;
        log.debug({ manager: address, error: errorText(error) }, 'certificate request failed, trying again');
      }
    }
    if (round < ATTEMPTS - 1) await sleep(clock, RETRY_DELAY_MS, signal);
  }
  throw new SwarmError(
    'unavailable',
    `no manager at ${managers.join(', ')} gave this node a certificate: ${errorText(last)}; see that one of them runs, and that this node reaches it`,
    { cause: last },
  );
}

const isTransient = (error: unknown): boolean => isSwarmError(error) && (error.isRetryable || error.code === 'unknown');

/** Where certificates are asked for: a manager whose root is known. */
interface Office {
  readonly client: NodeCAClient;
  readonly rootBundle: string;
}

/** Fetches the root of a manager and holds it against the token's digest. */
async function openOffice(address: string, token: string, signal: AbortSignal): Promise<Office> {
  const rootBundle = await fetchRoot(address, signal);
  if (rootDigest(rootBundle) !== parseJoinToken(token).digest) {
    throw new SwarmError(
      'invalidArgument',
      `remote CA does not match fingerprint: the root certificate of ${address} does not match the join token: the token is for another cluster or was made before the root was rotated; print a new one with "swarmctl swarm join-token"`,
    );
  }
  return { client: new NodeCAClient(address, anonymousCredentials(rootBundle), authorityChannelOptions), rootBundle };
}

async function fetchRoot(address: string, signal: AbortSignal): Promise<string> {
  const client = new CAClient(address, unverifiedCredentials(), authorityChannelOptions);
  return withClient(client, async () => {
    const answer = await unary(client.getRootCaCertificate.bind(client), {}, { timeoutMs: CALL_TIMEOUT_MS, signal });
    return Buffer.from(answer.certificate).toString('utf8');
  });
}

async function requestCertificate(
  { client, rootBundle }: Office,
  { token, availability, mustBeManager = false }: Admission,
  { clock, signal }: EnrollEnvironment,
  signingRequest = createSigningRequest(),
): Promise<Enrollment> {
  const { csr, key } = await signingRequest;
  const csrBytes = Buffer.from(csr);
  const { nodeId } = await unary(
    client.issueNodeCertificate.bind(client),
    { role: mustBeManager ? NodeRole.MANAGER : NodeRole.WORKER, csr: csrBytes, token, availability },
    { timeoutMs: CALL_TIMEOUT_MS * 2, signal },
  );
  const askedMs = clock.monotonic();
  for (let wait = 1_000; clock.monotonic() - askedMs < ISSUANCE_TIMEOUT_MS; wait = Math.min(wait * 2, POLL_MAX_MS)) {
    const answer = await unary(
      client.nodeCertificateStatus.bind(client),
      { nodeId },
      { timeoutMs: CALL_TIMEOUT_MS * 2, signal },
    );
    const state = answer.status?.state;
    const isOurs = answer.certificate !== undefined && csrBytes.equals(answer.certificate.csr);
    if (isOurs && (state === IssuanceStatus_State.ISSUED || state === IssuanceStatus_State.ROTATE)) {
      return checked(
        { certificate: Buffer.from(answer.certificate.certificate).toString('utf8'), key, rootBundle },
        nodeId,
      );
    }
    if (isOurs && state === IssuanceStatus_State.FAILED) {
      throw new SwarmError(
        'failedPrecondition',
        `the managers refused to certify this node: ${answer.status?.err ?? 'no reason given'}`,
      );
    }
    await sleep(clock, wait, signal);
  }
  throw new SwarmError(
    'deadlineExceeded',
    `the managers did not certify this node within ${ISSUANCE_TIMEOUT_MS / 1_000} s: they may have no leader`,
  );
}

function checked(enrollment: Enrollment, nodeId: string): Enrollment {
  const subject = subjectOf(enrollment.certificate);
  if (subject.nodeId !== nodeId || !chainsTo(enrollment.certificate, enrollment.rootBundle)) {
    throw new SwarmError(
      'dataLoss',
      'the certificate a manager sent is not for this node or not from its root; do not trust this manager',
    );
  }
  return enrollment;
}

async function withClient<T>(client: Client, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } finally {
    client.close();
  }
}

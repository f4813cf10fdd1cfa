/** How a node gets its certificate: what `identity/enroll.ts` does over TLS, over simulated calls. */
import { sleep } from '../../src/common/clock.ts';
import { SwarmError } from '../../src/common/errors.ts';
import { unary } from '../../src/common/rpc-client.ts';
import { parseJoinToken, rootDigest } from '../../src/identity/join-token.ts';
import {
  CAService,
  NodeCAService,
  type CAClient,
  type NodeCAClient,
} from '../../src/proto/generated/docker/swarmkit/v1/ca.ts';
import { NodeSpec_Availability } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { IssuanceStatus_State as State } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Calls, Party } from './calls.ts';
import type { SimulatedManager } from './manager.ts';
import type { Timeline } from './timeline.ts';

const CALL = { timeoutMs: 5_000 };
const POLLS = 20;
const POLL_MS = 1_000;

export interface Office {
  readonly calls: Calls;
  readonly timeline: Timeline;
  readonly manager: SimulatedManager;
}

/** Joins with a token; the answer of the managers makes the caller a node. Throws SwarmError. */
export async function enroll(
  { calls, timeline, manager }: Office,
  from: Party,
  token: string,
  availability: NodeSpec_Availability,
): Promise<void> {
  const ca = calls.client<CAClient>(from, () => manager, CAService, true);
  const { certificate } = await unary(ca.getRootCaCertificate.bind(ca), {}, CALL);
  const rootBundle = Buffer.from(certificate).toString('utf8');
  if (rootDigest(rootBundle) !== parseJoinToken(token).digest)
    throw new SwarmError('invalidArgument', 'the root certificate does not match the join token');
  const nodeCa = calls.client<NodeCAClient>(from, () => manager, NodeCAService, true);
  const chain = await requested(nodeCa, timeline, from.name, { token, availability });
  from.identity.replace(chain, rootBundle);
}

/** Gets another certificate by the one in use. */
export async function renew({ calls, timeline, manager }: Office, from: Party): Promise<void> {
  const nodeCa = calls.client<NodeCAClient>(from, () => manager, NodeCAService);
  const chain = await requested(nodeCa, timeline, from.name, { token: '', availability: NodeSpec_Availability.ACTIVE });
  const { current } = from.identity;
  if (current) from.identity.replace(chain, current.rootBundle);
}

async function requested(
  client: NodeCAClient,
  timeline: Timeline,
  name: string,
  { token, availability }: { readonly token: string; readonly availability: NodeSpec_Availability },
): Promise<string> {
  const csr = Buffer.from(`request of ${name} at ${timeline.monotonic()}`);
  const { nodeId } = await unary(client.issueNodeCertificate.bind(client), { role: 0, csr, token, availability }, CALL);
  for (let poll = 0; poll < POLLS; poll++) {
    const { status, certificate } = await unary(client.nodeCertificateStatus.bind(client), { nodeId }, CALL);
    const isIssued = status?.state === State.ISSUED || status?.state === State.ROTATE;
    if (isIssued && certificate && csr.equals(certificate.csr)) return Buffer.from(certificate.certificate).toString();
    await sleep(timeline, POLL_MS);
  }
  throw new SwarmError('deadlineExceeded', 'no certificate came');
}

/**
 * Issues node certificates (docker.swarmkit.v1.CA and NodeCA). A token or a certificate in use says who asks; the answer
 * and the node object are one write, so a node that has a certificate is in the store. Served by every manager; the leader decides.
 */
import { Metadata } from '@grpc/grpc-js';
import type { Clock } from '../../common/clock.ts';
import { SwarmError } from '../../common/errors.ts';
import type { IdSource } from '../../common/ids.ts';
import type { CallContext, Caller, ServiceMethods } from '../../common/rpc.ts';
import { msOfDuration } from '../../common/time.ts';
import { unary } from '../../common/rpc-client.ts';
import type { NodeRoleName, NodeSubject } from '../../identity/certificate.ts';
import { isSameToken } from '../../identity/join-token.ts';
import type { Pki } from '../../identity/pki.ts';
import type {
  CAService,
  GetUnlockKeyResponse,
  IssueNodeCertificateRequest,
  IssueNodeCertificateResponse,
  NodeCAClient,
  NodeCAService,
  NodeCertificateStatusResponse,
} from '../../proto/generated/docker/swarmkit/v1/ca.ts';
import { Node, type Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Membership } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  IssuanceStatus_State,
  NodeRole,
  type Certificate,
  type ExternalCA,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { unlockKeyOf } from '../../identity/unlock-key.ts';
import type { Store } from '../store/store.ts';
import { externalAuthoritiesOf, type ExternalAuthorities } from './external-authority.ts';
import { signerOf } from './signer.ts';

/** Node certificates live this long unless the cluster says otherwise: 90 days. */
const DEFAULT_NODE_LIFE_MS = 90 * 24 * 3_600_000;
/** How long a status call waits for an answer before the client asks again. */
const STATUS_HOLD_MS = 4_000;
const FORWARD_TIMEOUT_MS = 8_000;
/** Largest signing request accepted, in bytes; real ones have about 330. */
const MAX_CSR_BYTES = 8_192;

export interface CertificateAuthorityOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: IdSource;
  readonly pki: Pki;
  /** A client of the leader's NodeCA; undefined when this manager leads. Throws unavailable when there is no leader. */
  readonly leader: () => NodeCAClient | undefined;
  readonly external: ExternalAuthorities;
}

export class CertificateAuthority {
  readonly #options: CertificateAuthorityOptions;

  constructor(options: CertificateAuthorityOptions) {
    this.#options = options;
  }

  readonly caMethods: ServiceMethods<typeof CAService> = {
    getRootCaCertificate: {
      access: 'anyone',
      handle: () => ({ certificate: Buffer.from(this.#cluster().rootCa?.caCert ?? '') }),
    },
    getUnlockKey: { access: 'manager', handle: () => this.#unlockKey() },
  };

  readonly nodeCaMethods: ServiceMethods<typeof NodeCAService> = {
    issueNodeCertificate: { access: 'anyone', handle: (request, context) => this.#issue(request, context) },
    nodeCertificateStatus: { access: 'anyone', handle: ({ nodeId }, context) => this.#status(nodeId, context) },
  };

  async #issue(request: IssueNodeCertificateRequest, context: CallContext): Promise<IssueNodeCertificateResponse> {
    if (request.csr.length === 0 || request.csr.length > MAX_CSR_BYTES) {
      throw new SwarmError(
        'invalidArgument',
        `csr: ${request.csr.length} bytes; send a PEM certificate signing request`,
      );
    }
    const leader = this.#options.leader();
    const caller = forwardedCaller(context);
    if (leader) {
      return unary(leader.issueNodeCertificate.bind(leader), request, {
        timeoutMs: FORWARD_TIMEOUT_MS,
        signal: context.signal,
        metadata: forwardingMetadata(caller),
      });
    }
    return caller.role === 'anonymous' || request.token !== '' ? this.#admit(request) : this.#renew(request, caller);
  }

  /** A new node, by token. */
  async #admit(request: IssueNodeCertificateRequest): Promise<IssueNodeCertificateResponse> {
    const role = roleOfToken(this.#cluster(), request.token);
    if (request.role === NodeRole.MANAGER && role !== 'manager') throw notForManagers();
    const nodeId = this.#options.newId();
    for (;;) {
      const root = signingRoot(this.#cluster());
      const { VXLANUDPPort } = this.#cluster();
      const node = Node.fromPartial({
        id: nodeId,
        spec: {
          desiredRole: ROLE[role],
          membership: NodeSpec_Membership.ACCEPTED,
          availability: request.availability,
          annotations: {},
        },
        role: ROLE[role],
        status: {},
        // Engines are told it with their node only.
        VXLANUDPPort,
        certificate: await this.#sign(request.csr, nodeId, role),
      });
      const isStored = await this.#options.store.update((tx) => {
        // The token may have been rotated, or the root replaced, while the certificate was being made.
        const cluster = clusterOf(tx);
        if (roleOfToken(cluster, request.token) !== role) throw wrongToken();
        if (!signingRoot(cluster).equals(root)) return false;
        tx.node.create(node);
        return true;
      });
      if (isStored) return { nodeId, nodeMembership: NodeSpec_Membership.ACCEPTED };
    }
  }

  /** A node that is known already, by the certificate it still has. */
  async #renew(request: IssueNodeCertificateRequest, caller: Caller): Promise<IssueNodeCertificateResponse> {
    const { store } = this.#options;
    const { nodeId } = caller;
    for (;;) {
      const known = store.read.node.get(nodeId);
      if (!known)
        throw new SwarmError(
          'notFound',
          `node ${nodeId} not found: it was removed; leave the swarm on that node and join again`,
        );
      const root = signingRoot(this.#cluster());
      const role = known.role === NodeRole.MANAGER ? 'manager' : 'worker';
      const certificate = await this.#sign(request.csr, nodeId, role);
      const isStored = await store.update((tx) => {
        const node = tx.node.get(nodeId);
        if (!node) throw new SwarmError('notFound', `node ${nodeId} not found`);
        // It may have been demoted, or the root replaced, while the certificate was being made.
        if (node.role !== known.role || !signingRoot(clusterOf(tx)).equals(root)) return false;
        tx.node.update({ ...node, certificate });
        return true;
      });
      if (isStored) return { nodeId, nodeMembership: known.spec?.membership ?? NodeSpec_Membership.ACCEPTED };
    }
  }

  async #sign(csr: Buffer, nodeId: string, role: NodeRoleName): Promise<Certificate> {
    const cluster = this.#cluster();
    const expiry = cluster.spec?.caConfig?.nodeCertExpiry;
    const lifeMs = expiry && msOfDuration(expiry) > 0 ? msOfDuration(expiry) : DEFAULT_NODE_LIFE_MS;
    const subject = { nodeId, role, clusterId: cluster.id };
    const external = externalAuthoritiesOf(cluster);
    const validity = { nowMs: this.#options.clock.now(), lifeMs };
    const pem =
      external.length > 0
        ? await this.#signedExternally(external, csr.toString('utf8'), subject, cluster)
        : await this.#options.pki.signNodeCertificate(csr.toString('utf8'), subject, signerOf(cluster), validity);
    return {
      role: ROLE[role],
      csr,
      status: { state: IssuanceStatus_State.ISSUED, err: '' },
      certificate: Buffer.from(pem),
      cn: nodeId,
    };
  }

  /** During a rotation with the twin of the new root, as when the managers sign. */
  async #signedExternally(
    authorities: readonly ExternalCA[],
    csr: string,
    subject: NodeSubject,
    { rootCa }: Cluster,
  ): Promise<string> {
    const rotation = rootCa?.rootRotation;
    const root = (rotation ?? rootCa)?.caCert.toString('utf8') ?? '';
    const certificate = await this.#options.external.signNode(authorities, csr, subject, root);
    return `${certificate.trimEnd()}\n${rotation?.crossSignedCaCert.toString('utf8') ?? ''}`;
  }

  /** Waits a while for a node that this manager has not heard of yet: its store may be behind the leader's. */
  async #status(nodeId: string, { signal }: CallContext): Promise<NodeCertificateStatusResponse> {
    const { store, clock } = this.#options;
    const done = new AbortController();
    const stop = (): void => done.abort();
    const cancel = clock.setTimer(STATUS_HOLD_MS, stop);
    signal.addEventListener('abort', stop, { once: true });
    const [first, watch] = store.readAndWatch((r) => r.node.get(nodeId), { kinds: ['node'], signal: done.signal });
    try {
      let node = first;
      while (!isIssued(node) && (await watch.next()).length > 0) node = store.read.node.get(nodeId);
      if (!node) throw new SwarmError('notFound', `node ${nodeId} not found`);
      return { status: node.certificate?.status, certificate: node.certificate };
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
      watch.close();
    }
  }

  #unlockKey(): GetUnlockKeyResponse {
    const cluster = this.#cluster();
    return { unlockKey: unlockKeyOf(cluster) ?? Buffer.of(), version: cluster.meta?.version };
  }

  #cluster(): Cluster {
    return clusterOf(this.#options.store.read);
  }
}

/** Throws when it is no token of the cluster. */
function roleOfToken({ rootCa }: Cluster, token: string): NodeRoleName {
  const tokens = rootCa?.joinTokens;
  if (tokens && isSameToken(token, tokens.manager)) return 'manager';
  if (tokens && isSameToken(token, tokens.worker)) return 'worker';
  throw wrongToken();
}

/** The root that certificates made now lead to. */
const signingRoot = ({ rootCa }: Cluster): Buffer => (rootCa?.rootRotation ?? rootCa)?.caCert ?? Buffer.alloc(0);

function clusterOf({ cluster }: Pick<Store['read'], 'cluster'>): Cluster {
  const [found] = cluster.all();
  if (!found)
    throw new SwarmError('unavailable', 'this manager has not caught up with the cluster yet: try again in a moment');
  return found;
}

const ROLE = { manager: NodeRole.MANAGER, worker: NodeRole.WORKER } as const;

const wrongToken = (): SwarmError =>
  new SwarmError(
    'invalidArgument',
    'A valid join token is necessary to join this cluster: print one on a manager with "swarmctl swarm join-token worker", or "… manager"',
  );

const notForManagers = (): SwarmError =>
  new SwarmError(
    'invalidArgument',
    'token: this is a worker token; a manager needs the manager token, print it with "swarmctl swarm join-token manager"',
  );

const isIssued = (node: Node | undefined): boolean => {
  const state = node?.certificate?.status?.state;
  return (
    state === IssuanceStatus_State.ISSUED ||
    state === IssuanceStatus_State.ROTATE ||
    state === IssuanceStatus_State.FAILED
  );
};

const FORWARDED = 'forwarded_cert';

/** Says for whom a manager asks; of a caller without a certificate too, lest the manager be taken for the one who asks. */
function forwardingMetadata(caller: Caller): Metadata {
  const metadata = new Metadata();
  metadata.set(FORWARDED, 'true');
  if (caller.role === 'anonymous') return metadata;
  metadata.set(`${FORWARDED}_cn`, caller.nodeId);
  metadata.set(`${FORWARDED}_ou`, caller.role === 'manager' ? 'swarm-manager' : 'swarm-worker');
  metadata.set(`${FORWARDED}_org`, caller.clusterId);
  return metadata;
}

/** Who really asks: a manager may speak for the node whose call it passes on. */
function forwardedCaller({ caller, metadata }: CallContext): Caller {
  const value = (key: string): string => String(metadata.get(`${FORWARDED}${key}`)[0] ?? '');
  if (caller.role !== 'manager' || value('') !== 'true') return caller;
  if (value('_cn') === '') return { ...caller, nodeId: '', role: 'anonymous', clusterId: '' };
  return {
    ...caller,
    nodeId: value('_cn'),
    role: value('_ou') === 'swarm-manager' ? 'manager' : 'worker',
    clusterId: value('_org'),
  };
}

/** Invariants 43 and 44: a certificate says what its node is, and leads to every root that is trusted; who is removed is refused. */
import type { Change } from '../../../src/manager/store/change.ts';
import type { Cluster, Node } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { chainsTo, subjectOf } from '../pki.ts';
import type { Check, Violate } from './check.ts';
import type { World } from './world.ts';

export class Certificates implements Check {
  readonly #violate: Violate;

  constructor(violate: Violate) {
    this.#violate = violate;
  }

  observe(changes: readonly Change[], world: World): void {
    for (const { kind, action, object, old } of changes) {
      if (kind === 'cluster' && old !== undefined) this.#checkRoot(old, object, world);
      if (kind !== 'node') continue;
      if (action === 'delete') this.#checkRemoval(object, world);
      else if (chainOf(object) !== '' && chainOf(object) !== chainOf(old)) this.#checkCertificate(object, world);
    }
  }

  #checkCertificate(node: Node, world: World): void {
    const chain = chainOf(node);
    const { nodeId, role } = subjectOf(chain);
    if (nodeId !== node.id) this.#violate(43, `node ${node.id} has a certificate for ${nodeId}`);
    if ((role === 'manager') !== (node.role === NodeRole.MANAGER))
      this.#violate(43, `node ${node.id} with role ${node.role} has a certificate of a ${role}`);
    const root = clusterOf(world)?.rootCa;
    for (const trusted of [root?.caCert, root?.rootRotation?.caCert])
      if (trusted && !chainsTo(chain, trusted.toString()))
        this.#violate(44, `the certificate of node ${node.id} does not lead to ${trusted.toString().trim()}`);
  }

  /** Whoever has a certificate can go on with it when a root takes over, and whoever wants to join needs a token of the new root. */
  #checkRoot(old: Cluster, cluster: Cluster, world: World): void {
    const [before, now] = [old.rootCa, cluster.rootCa];
    const root = now?.caCert.toString() ?? '';
    if (root === before?.caCert.toString()) return;
    if (root !== before?.rootRotation?.caCert.toString())
      this.#violate(44, `root ${root.trim()} takes over without a rotation`);
    for (const role of ['worker', 'manager'] as const)
      if (before?.joinTokens?.[role] === now?.joinTokens?.[role])
        this.#violate(44, `the token of ${role}s is still that of an earlier root`);
    for (const node of world.tables.node.all())
      if (chainOf(node) !== '' && node.description !== undefined && !chainsTo(chainOf(node), root))
        this.#violate(44, `root ${root.trim()} takes over though node ${node.id} has ${chainOf(node).trim()}`);
  }

  #checkRemoval({ id }: Node, world: World): void {
    if (!Object.hasOwn(clusterOf(world)?.blacklistedCertificates ?? {}, id))
      this.#violate(43, `node ${id} is removed and its certificate is not refused`);
  }
}

const chainOf = (node: Node | undefined): string => node?.certificate?.certificate.toString() ?? '';

const clusterOf = ({ tables }: World): Cluster | undefined => tables.cluster.all()[0];

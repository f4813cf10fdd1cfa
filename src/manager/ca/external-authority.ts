/** Authorities outside of the cluster that make certificates (`swarm init --external-ca`), as a port; cfssl-authorities.ts asks real ones. */
import { authoritiesFor } from '../../identity/external-cas.ts';
import type { KeyPair, NodeSubject } from '../../identity/certificate.ts';
import type { Cluster } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ExternalCA } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** Authorities outside of the cluster, as the manager's rooms see them. Texts are PEM; a root is one certificate. */
export interface ExternalAuthorities {
  /** Signs a request for a node. Throws unavailable when none of the authorities does. */
  signNode(authorities: readonly ExternalCA[], csr: string, subject: NodeSubject, root: string): Promise<string>;
  /** Certifies the key of the next root with theirs, so that who knows `root` alone trusts what the next one signs. Throws unavailable. */
  crossSign(authorities: readonly ExternalCA[], next: KeyPair, root: string): Promise<string>;
  /** Resolves when one of them answers as a server of this root. Throws unavailable, saying of each why it does not. */
  reach(authorities: readonly ExternalCA[], root: string): Promise<void>;
}

/** Those that sign for the root nodes are to have at the moment; none when the managers sign themselves. */
export function externalAuthoritiesOf({ spec, rootCa }: Cluster): readonly ExternalCA[] {
  const root = (rootCa?.rootRotation ?? rootCa)?.caCert.toString('utf8') ?? '';
  return authoritiesFor(spec?.caConfig?.externalCas ?? [], root, rootCa?.caCert.toString('utf8') ?? '');
}

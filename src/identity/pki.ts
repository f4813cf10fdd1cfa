/**
 * How certificates and join tokens are made and judged, as the manager's rooms see it: a port like clock and randomness, so
 * that whole swarms can be simulated without keys.
 */
import {
  chainsTo,
  createRootCa,
  crossSign,
  issuerInfo,
  signNodeCertificate,
  type KeyPair,
  type NodeSubject,
} from './certificate.ts';
import { newJoinToken } from './join-token.ts';

export interface Pki {
  /** A fresh self-signed root. */
  createRootCa(nowMs: number): Promise<KeyPair>;
  /** The new root's key certified by another root. */
  crossSign(newRoot: string, signer: KeyPair, nowMs: number): Promise<string>;
  /** Certifies the key of a signing request. Throws invalidArgument when the request is not one. */
  signNodeCertificate(
    csr: string,
    subject: NodeSubject,
    signer: KeyPair & { readonly intermediates?: string },
    validity: { readonly nowMs: number; readonly lifeMs: number },
  ): Promise<string>;
  /** Whether a leaf-first chain leads to one of the roots of a bundle. */
  chainsTo(chain: string, rootBundle: string): boolean;
  /** A root as nodes report the issuer of their certificates. */
  issuerInfo(root: string): { readonly subject: Buffer; readonly publicKey: Buffer };
  /** A fresh token for a cluster with this root. */
  newJoinToken(rootBundle: string): string;
}

/** X.509 with real keys. */
export const x509Pki: Pki = { createRootCa, crossSign, signNodeCertificate, chainsTo, issuerInfo, newJoinToken };

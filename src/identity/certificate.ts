/**
 * X.509 for the cluster: the root, node certificates, signing requests. ECDSA P-256 throughout, laid out as SwarmKit does
 * so that Docker Engines accept them. The certificate library is loaded only when something is made or signed.
 */
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import type { Extension, Name, X509Certificate as X509 } from '@peculiar/x509';
import { SwarmError } from '../common/errors.ts';
import { certificatesIn } from '../common/pem.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;
const ROOT_LIFE_MS = 20 * 365 * 24 * HOUR_MS;
/** Certificates start in the past, so that clocks that differ a little do not matter. */
const ROOT_BACKDATE_MS = 5 * 60_000;
const NODE_BACKDATE_MS = HOUR_MS;

export type NodeRoleName = 'manager' | 'worker';
/** Organisational units that stand for the roles. */
export const ROLE_UNIT = { manager: 'swarm-manager', worker: 'swarm-worker' } as const satisfies Record<
  NodeRoleName,
  string
>;
/** Extra name of managers: clients ask for it when they fetch certificates. */
export const CA_SERVER_NAME = 'swarm-ca';

/** PEM certificate (possibly followed by intermediates) with its PKCS #8 PEM key. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** The library needs its metadata polyfill first. */
async function x509() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Loads what making and signing certificates needs, which otherwise happens when it is first done. */
export async function loadCertificateLibrary(): Promise<void> {
  await x509();
}

/** 160 random bits; the top bit stays clear because serials are positive. */
const serialNumber = (): string => {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
};

/** What to sign with: ours are of one kind, but people may bring a root of their own. */
interface SigningKey {
  readonly privateKey: webcrypto.CryptoKey;
  readonly algorithm: { readonly name: string; readonly hash: string };
}

const CURVES: Readonly<Record<string, readonly [namedCurve: string, hash: string]>> = {
  prime256v1: ['P-256', 'SHA-256'],
  secp384r1: ['P-384', 'SHA-384'],
  secp521r1: ['P-521', 'SHA-512'],
};

async function signingKey(keyPem: string): Promise<SigningKey> {
  const key = createPrivateKey(keyPem);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const [namedCurve, hash] = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
  const algorithm = namedCurve
    ? { name: 'ECDSA', namedCurve, hash: hash ?? '' }
    : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  return { privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']), algorithm };
}

const pemOfKey = async (key: webcrypto.CryptoKey): Promise<string> =>
  `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
    .toString('base64')
    .replace(/.{64}/g, '$&\n')
    .trimEnd()}\n-----END PRIVATE KEY-----\n`;

const withNewline = (pem: string): string => (pem.endsWith('\n') ? pem : `${pem}\n`);

/** A fresh self-signed root. */
export async function createRootCa(nowMs: number): Promise<KeyPair> {
  const {
    X509CertificateGenerator,
    BasicConstraintsExtension,
    KeyUsagesExtension,
    KeyUsageFlags,
    SubjectKeyIdentifierExtension,
  } = await x509();
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [CA_SERVER_NAME] }],
    notBefore: new Date(nowMs - ROOT_BACKDATE_MS),
    notAfter: new Date(nowMs + ROOT_LIFE_MS),
    keys: keys as webcrypto.CryptoKeyPair,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: withNewline(certificate.toString('pem')), key: await pemOfKey(keys.privateKey) };
}

/** The new root's key certified by the old root, so that nodes that know only the old one trust what the new one signs. */
export async function crossSign(newRoot: string, signer: KeyPair, nowMs: number): Promise<string> {
  const lib = await x509();
  const root = new lib.X509Certificate(newRoot);
  const issuer = new lib.X509Certificate(signer.certificate);
  const { privateKey, algorithm } = await signingKey(signer.key);
  const certificate = await lib.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    // Byte for byte: some clients compare names so.
    subject: root.subjectName,
    issuer: issuer.subjectName,
    notBefore: new Date(nowMs - ROOT_BACKDATE_MS),
    notAfter: root.notAfter,
    publicKey: root.publicKey,
    signingKey: privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new lib.BasicConstraintsExtension(true, undefined, true),
      new lib.KeyUsagesExtension(lib.KeyUsageFlags.keyCertSign | lib.KeyUsageFlags.cRLSign, true),
      root.getExtension(lib.SubjectKeyIdentifierExtension) ??
        (await lib.SubjectKeyIdentifierExtension.create(root.publicKey)),
      await keyIdentifierOf(lib, issuer),
    ],
  });
  return withNewline(certificate.toString('pem'));
}

/** A request to certify a root's own key once more, by another root; `basicConstraints` is the value of that extension (DER). */
export async function createCrossSigningRequest({ certificate, key }: KeyPair): Promise<{
  readonly csr: string;
  readonly commonName: string;
  readonly basicConstraints: Buffer;
}> {
  const lib = await x509();
  const root = new lib.X509Certificate(certificate);
  const { privateKey, algorithm } = await signingKey(key);
  const request = await lib.Pkcs10CertificateRequestGenerator.create({
    name: root.subjectName,
    keys: { privateKey, publicKey: await root.publicKey.export() },
    signingAlgorithm: algorithm,
  });
  const constraints = root.getExtension(lib.BasicConstraintsExtension) ?? new lib.BasicConstraintsExtension(true);
  return {
    csr: withNewline(request.toString('pem')),
    commonName: root.subjectName.getField('CN')[0] ?? '',
    basicConstraints: Buffer.from(constraints.value),
  };
}

/** A new node key and the request to certify it; the request names nobody, the authority decides who this is. */
export async function createSigningRequest(): Promise<{ readonly csr: string; readonly key: string }> {
  const lib = await x509();
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const request = await lib.Pkcs10CertificateRequestGenerator.create({
    keys: keys as webcrypto.CryptoKeyPair,
    signingAlgorithm: SIGNATURE,
  });
  return { csr: withNewline(request.toString('pem')), key: await pemOfKey(keys.privateKey) };
}

/** What a node certificate says. */
export interface NodeSubject {
  readonly nodeId: string;
  readonly role: NodeRoleName;
  readonly clusterId: string;
}

/**
 * Certifies the key of a signing request. Only the public key is taken from the request.
 * `intermediates` (PEM) follow the leaf in the result. Throws invalidArgument when the request is not one or its signature is wrong.
 */
export async function signNodeCertificate(
  csr: string,
  subject: NodeSubject,
  signer: KeyPair & { readonly intermediates?: string },
  validity: { readonly nowMs: number; readonly lifeMs: number },
): Promise<string> {
  const lib = await x509();
  let request: InstanceType<typeof lib.Pkcs10CertificateRequest>;
  try {
    request = new lib.Pkcs10CertificateRequest(csr);
    if (!(await request.verify())) throw new Error('its signature does not match its key');
  } catch (error) {
    throw new SwarmError(
      'invalidArgument',
      `the certificate signing request cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const { issuer, privateKey, algorithm, keyIdentifier } = await preparedSigner(signer);
  const unit = ROLE_UNIT[subject.role];
  const names = [unit, subject.nodeId, ...(subject.role === 'manager' ? [CA_SERVER_NAME] : [])];
  const certificate = await lib.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ O: [subject.clusterId] }, { OU: [unit] }, { CN: [subject.nodeId] }],
    issuer,
    notBefore: new Date(validity.nowMs - NODE_BACKDATE_MS),
    notAfter: new Date(validity.nowMs + validity.lifeMs),
    publicKey: request.publicKey,
    signingKey: privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new lib.KeyUsagesExtension(lib.KeyUsageFlags.digitalSignature | lib.KeyUsageFlags.keyEncipherment, true),
      new lib.ExtendedKeyUsageExtension([lib.ExtendedKeyUsage.serverAuth, lib.ExtendedKeyUsage.clientAuth]),
      new lib.BasicConstraintsExtension(false, undefined, true),
      await lib.SubjectKeyIdentifierExtension.create(request.publicKey),
      keyIdentifier,
      new lib.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value }))),
    ],
  });
  return withNewline(certificate.toString('pem')) + (signer.intermediates ?? '');
}

interface PreparedSigner extends SigningKey {
  /** Subject of the signer's certificate, byte for byte: some clients compare names so. */
  readonly issuer: Name;
  /** Extension that names the signer's key. */
  readonly keyIdentifier: Extension;
}

/** What was read of the signer used last: thousands of nodes may join at once, and reading it takes as long as signing. */
let lastSigner: { readonly pair: KeyPair; readonly prepared: Promise<PreparedSigner> } | undefined;

function preparedSigner(pair: KeyPair): Promise<PreparedSigner> {
  if (lastSigner?.pair.key === pair.key && lastSigner.pair.certificate === pair.certificate) return lastSigner.prepared;
  const prepared = prepareSigner(pair);
  lastSigner = { pair, prepared };
  return prepared;
}

async function prepareSigner({ certificate, key }: KeyPair): Promise<PreparedSigner> {
  const lib = await x509();
  const issuer = new lib.X509Certificate(certificate);
  return { issuer: issuer.subjectName, ...(await signingKey(key)), keyIdentifier: await keyIdentifierOf(lib, issuer) };
}

/** Names an issuer's key as its own certificate does, or chains to it would not be found. */
async function keyIdentifierOf(lib: Awaited<ReturnType<typeof x509>>, issuer: X509): Promise<Extension> {
  const own = issuer.getExtension(lib.SubjectKeyIdentifierExtension);
  return own
    ? new lib.AuthorityKeyIdentifierExtension(own.keyId)
    : lib.AuthorityKeyIdentifierExtension.create(issuer.publicKey);
}

/** Who a node certificate (first of a PEM chain) belongs to. Throws invalidArgument when a part is missing. */
export function subjectOf(pem: string): NodeSubject & { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const certificate = new X509Certificate(pem);
  const part = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(certificate.subject)?.[1] ?? '';
  const unit = part('OU');
  const role = (Object.keys(ROLE_UNIT) as NodeRoleName[]).find((name) => ROLE_UNIT[name] === unit);
  const nodeId = part('CN');
  const clusterId = part('O');
  if (!role || nodeId === '' || clusterId === '') {
    throw new SwarmError(
      'invalidArgument',
      `the certificate "${certificate.subject.replaceAll('\n', ', ')}" names no node of a swarm: CN, OU and O are needed`,
    );
  }
  return {
    nodeId,
    role,
    clusterId,
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** The certificates of a PEM bundle. */
const splitBundle = certificatesIn;

/** Whether a leaf-first PEM chain leads to one of the roots of a bundle. Validity periods are not looked at. */
export function chainsTo(chain: string, rootBundle: string): boolean {
  const links = splitBundle(chain).map((pem) => new X509Certificate(pem));
  const roots = splitBundle(rootBundle).map((pem) => new X509Certificate(pem));
  let current = links[0];
  const rest = links.slice(1);
  while (current) {
    const certificate: X509Certificate = current;
    const isIssuer = (candidate: X509Certificate): boolean =>
      certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey);
    if (roots.some(isIssuer)) return true;
    const next = rest.findIndex(isIssuer);
    current = next < 0 ? undefined : rest.splice(next, 1)[0];
  }
  return false;
}

/** Issuer as nodes report it: DER of its subject name and of its public key. */
export function issuerInfo(rootPem: string): { readonly subject: Buffer; readonly publicKey: Buffer } {
  const der = new X509Certificate(splitBundle(rootPem)[0] ?? rootPem).raw;
  const publicKey = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
  return { subject: subjectDer(der), publicKey };
}

/** The same of whoever signed the first certificate of a leaf-first PEM chain; of the first root if that cannot be told. */
export function issuerOf(chain: string, rootBundle: string): ReturnType<typeof issuerInfo> {
  const [leafPem = '', ...rest] = splitBundle(chain);
  const leaf = new X509Certificate(leafPem);
  const candidates = [...rest, ...splitBundle(rootBundle)];
  return issuerInfo(candidates.find((pem) => leaf.verify(new X509Certificate(pem).publicKey)) ?? rootBundle);
}

/** The subject field of a DER certificate: Certificate → tbs → [version] serial algorithm issuer validity subject (RFC 5280 §4.1). */
function subjectDer(der: Buffer): Buffer {
  const read = (at: number): { readonly content: number; readonly end: number } => {
    const first = der[at + 1] ?? 0;
    if (first < 0x80) return { content: at + 2, end: at + 2 + first };
    const size = first & 0x7f;
    return { content: at + 2 + size, end: at + 2 + size + der.readUIntBE(at + 2, size) };
  };
  let at = read(read(0).content).content;
  if (der[at] === 0xa0) at = read(at).end;
  for (let skipped = 0; skipped < 4; skipped++) at = read(at).end;
  return der.subarray(at, read(at).end);
}

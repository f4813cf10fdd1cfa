/**
 * The certificates of this node on disk: `swarm-root-ca.crt` holds the roots it trusts, `swarm-node.pem` its certificate chain
 * and key in one file, so that a crash never leaves a key with the wrong certificate. The key of a locked manager is encrypted
 * (PKCS#8). Whoever holds connections is told of changes.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere, writeFileAtomic } from '../common/files.ts';
import { errorText, SwarmError } from '../common/errors.ts';
import { chainsTo, subjectOf, type KeyPair, type NodeSubject } from './certificate.ts';

const ROOT_FILE = 'swarm-root-ca.crt';
const NODE_FILE = 'swarm-node.pem';
const KEY_PEM = /-----BEGIN (?:EC |ENCRYPTED )?PRIVATE KEY-----[\s\S]+?-----END (?:EC |ENCRYPTED )?PRIVATE KEY-----\n?/;
const ENCRYPTED_PEM = '-----BEGIN ENCRYPTED PRIVATE KEY-----';

export interface IdentityState extends NodeSubject, KeyPair {
  /** PEM bundle of trusted roots. */
  readonly rootBundle: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Key material of this node; `current` changes on renewal, promotion and root rotation. */
export class NodeIdentity {
  readonly #directory: string | undefined;
  readonly #listeners = new Set<(state: IdentityState) => void>();
  #state: IdentityState;
  #passphrase: string | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(directory: string | undefined, state: IdentityState, passphrase?: string) {
    this.#directory = directory;
    this.#state = state;
    this.#passphrase = passphrase;
  }

  get current(): IdentityState {
    return this.#state;
  }

  /** Calls `listener` after each change; returns how to stop that. */
  onChange(listener: (state: IdentityState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Reads the identity kept in a folder; undefined when there is none. Throws dataLoss naming the file when it is damaged.
   * @param passphrase opens the private key, and encrypts it from now on
   */
  static async load(directory: string, passphrase?: string): Promise<NodeIdentity | undefined> {
    const files = await readFiles(directory);
    if (!files) return undefined;
    const { rootBundle, certificate, key } = files;
    const identity = new NodeIdentity(
      directory,
      stateOf(rootBundle, { certificate, key }, directory, passphrase),
      passphrase,
    );
    // A crash came between the two steps of locking or unlocking.
    if (isEncrypted(key) !== (passphrase !== undefined)) await identity.#save();
    return identity;
  }

  /** Whose certificate lies in a folder, and whether its private key is encrypted; undefined when there is none. */
  static async peek(directory: string): Promise<(NodeSubject & { readonly isEncrypted: boolean }) | undefined> {
    const files = await readFiles(directory);
    return files && { ...subjectOf(files.certificate), isEncrypted: isEncrypted(files.key) };
  }

  /** Stores a first identity. */
  static async create(directory: string, rootBundle: string, pair: KeyPair): Promise<NodeIdentity> {
    const identity = new NodeIdentity(directory, stateOf(rootBundle, pair, directory));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await identity.#save();
    return identity;
  }

  /** An identity that is kept nowhere, for pretend nodes. The caller has checked that the parts belong together. */
  static inMemory(rootBundle: string, { certificate, key }: KeyPair): NodeIdentity {
    return new NodeIdentity(undefined, { ...subjectOf(certificate), certificate, key, rootBundle });
  }

  /** Replaces key and certificate. Throws invalidArgument when they do not belong together or to the trusted roots. */
  async replace(pair: KeyPair, rootBundle = this.#state.rootBundle): Promise<void> {
    this.#state = stateOf(rootBundle, pair, this.#directory ?? 'memory');
    await this.#save();
    for (const listener of this.#listeners) listener(this.#state);
  }

  /** Trusts another root bundle; refused while the own certificate does not chain to it. */
  async trust(rootBundle: string): Promise<void> {
    if (rootBundle !== this.#state.rootBundle) await this.replace(this.#state, rootBundle);
  }

  /** Whether the private key on disk is encrypted. */
  get isEncrypted(): boolean {
    return this.#passphrase !== undefined;
  }

  /** Encrypts the private key on disk with a passphrase, or keeps it in the clear. */
  async encryptWith(passphrase: string | undefined): Promise<void> {
    const before = this.#passphrase;
    this.#passphrase = passphrase;
    await this.#save().catch((error: unknown) => {
      this.#passphrase = before;
      throw error;
    });
  }

  /** One after the other, so that what is on disk at last is what was set last. */
  #save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#write());
    return this.#saving;
  }

  async #write(): Promise<void> {
    if (this.#directory === undefined) return;
    const { rootBundle, certificate, key } = this.#state;
    const stored = this.#passphrase === undefined ? key : encrypted(key, this.#passphrase);
    await writeFileAtomic(join(this.#directory, ROOT_FILE), rootBundle, 0o644);
    await writeFileAtomic(join(this.#directory, NODE_FILE), certificate + stored, 0o600);
  }
}

async function readFiles(directory: string): Promise<(KeyPair & { readonly rootBundle: string }) | undefined> {
  const [rootBundle, node] = await Promise.all(
    [ROOT_FILE, NODE_FILE].map((file) => readIfThere(join(directory, file))),
  );
  if (rootBundle === undefined || node === undefined) return undefined;
  return { rootBundle, certificate: node.replace(KEY_PEM, ''), key: KEY_PEM.exec(node)?.[0] ?? '' };
}

const isEncrypted = (key: string): boolean => key.startsWith(ENCRYPTED_PEM);

const encrypted = (key: string, passphrase: string): string =>
  createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }) as string;

function stateOf(rootBundle: string, pair: KeyPair, directory: string, passphrase = ''): IdentityState {
  try {
    const subject = subjectOf(pair.certificate);
    const key = createPrivateKey(isEncrypted(pair.key) ? { key: pair.key, passphrase } : pair.key);
    if (!new X509Certificate(pair.certificate).checkPrivateKey(key)) {
      throw new Error('the key does not belong to the certificate');
    }
    if (!chainsTo(pair.certificate, rootBundle)) throw new Error('the certificate was not issued by a trusted root');
    const clearKey = isEncrypted(pair.key) ? (key.export({ type: 'pkcs8', format: 'pem' }) as string) : pair.key;
    return { ...subject, certificate: pair.certificate, key: clearKey, rootBundle };
  } catch (error) {
    throw new SwarmError(
      'dataLoss',
      `the node certificate in ${directory} cannot be used: ${errorText(error)}; leave the swarm and join again`,
      { cause: error },
    );
  }
}

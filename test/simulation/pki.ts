/**
 * Pretend certificates: lines of text that say what they certify and who signed them. They take their time to be made, so that
 * what they were made for can change meanwhile; nobody here forges one.
 */
import type { KeyPair, NodeRoleName, NodeSubject } from '../../src/identity/certificate.ts';
import { rootDigest } from '../../src/identity/join-token.ts';
import type { Pki } from '../../src/identity/pki.ts';
import type { Random } from '../../src/common/random.ts';
import type { Timeline } from './timeline.ts';

export class PretendPki implements Pki {
  readonly #timeline: Timeline;
  readonly #random: Random;
  #roots = 0;
  #tokens = 0;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  async createRootCa(): Promise<KeyPair> {
    await this.#work();
    const name = `root${++this.#roots}`;
    return { certificate: `${name} by ${name}\n`, key: `key of ${name}` };
  }

  async crossSign(newRoot: string, signer: KeyPair): Promise<string> {
    await this.#work();
    return `${firstOf(newRoot).subject} by ${firstOf(signer.certificate).subject}\n`;
  }

  async signNodeCertificate(
    _csr: string,
    { nodeId, role, clusterId }: NodeSubject,
    signer: KeyPair & { readonly intermediates?: string },
  ): Promise<string> {
    await this.#work();
    return `${nodeId}/${role}/${clusterId} by ${firstOf(signer.certificate).subject}\n${signer.intermediates ?? ''}`;
  }

  readonly chainsTo = chainsTo;

  issuerInfo(root: string): ReturnType<Pki['issuerInfo']> {
    return issuerInfo(firstOf(root).subject);
  }

  newJoinToken(rootBundle: string): string {
    return `SWMTKN-1-${rootDigest(rootBundle)}-${String(++this.#tokens).padStart(25, '0')}`;
  }

  #work(): Promise<void> {
    return new Promise((resolve) => {
      this.#timeline.setTimer(1 + 40 * this.#random() ** 4, resolve);
    });
  }
}

interface Line {
  readonly subject: string;
  readonly issuer: string;
}

const linesOf = (chain: string): readonly Line[] =>
  chain
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [subject = '', issuer = ''] = line.split(' by ');
      return { subject, issuer };
    });

const firstOf = (chain: string): Line => linesOf(chain)[0] ?? { subject: '', issuer: '' };

const known = new Map<string, boolean>();

/** Whether a leaf-first chain leads to one of the roots of a bundle. */
export function chainsTo(chain: string, rootBundle: string): boolean {
  const key = `${chain}\0${rootBundle}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const roots = new Set(linesOf(rootBundle).map(({ subject }) => subject));
  const [leaf, ...rest] = linesOf(chain);
  let issuer = leaf?.issuer;
  let isTrusted = false;
  for (let steps = 0; issuer !== undefined && !isTrusted && steps <= rest.length; steps++) {
    isTrusted = roots.has(issuer);
    issuer = rest.find(({ subject }) => subject === issuer)?.issuer;
  }
  known.set(key, isTrusted);
  return isTrusted;
}

/** What a node certificate says. */
export function subjectOf(chain: string): NodeSubject {
  const [nodeId = '', role = 'worker', clusterId = ''] = firstOf(chain).subject.split('/');
  return { nodeId, role: role as NodeRoleName, clusterId };
}

/** Who signed a node certificate, as its node reports it. */
export const issuerOf = (chain: string): ReturnType<Pki['issuerInfo']> => issuerInfo(firstOf(chain).issuer);

const issuerInfo = (name: string): ReturnType<Pki['issuerInfo']> => ({
  subject: Buffer.from('swarm-ca'),
  publicKey: Buffer.from(name),
});

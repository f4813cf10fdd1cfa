/** Who a simulated node is: its certificate and the roots it trusts, shared by its agent and its manager. */
import type { NodeSubject } from '../../src/identity/certificate.ts';
import { chainsTo, subjectOf } from './pki.ts';

export interface IdentityState extends NodeSubject {
  readonly chain: string;
  readonly rootBundle: string;
}

export class SimulatedIdentity {
  readonly #listeners = new Set<() => void>();
  #state: IdentityState | undefined;

  /** Undefined until the node has joined. */
  get current(): IdentityState | undefined {
    return this.#state;
  }

  get nodeId(): string {
    return this.#state?.nodeId ?? '';
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** As the product does, nothing is taken that its own roots do not vouch for. */
  replace(chain: string, rootBundle: string): void {
    if (!chainsTo(chain, rootBundle)) throw new Error(`${chain} was not issued by ${rootBundle}`);
    this.#state = { ...subjectOf(chain), chain, rootBundle };
    for (const listener of this.#listeners) listener();
  }

  /** Trusts another root, unless the own certificate does not lead to it yet. */
  trust(rootBundle: string): void {
    const { current } = this;
    if (current && rootBundle !== current.rootBundle && chainsTo(current.chain, rootBundle))
      this.replace(current.chain, rootBundle);
  }
}

/**
 * Payloads proposed in this turn of the event loop, and the count of bytes proposed and not yet applied. The payloads go into the
 * log together, so followers get them in one message; nothing else may reach the state machine before they do, which is what makes
 * their indexes known beforehand.
 */
export class ProposalBuffer {
  readonly #limitBytes: number;
  #payloads: Uint8Array[] = [];
  /** Proposals not yet applied; `#head` is the oldest. */
  #open: { readonly index: number; readonly bytes: number }[] = [];
  #head = 0;
  #openBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Payloads not yet taken. */
  get count(): number {
    return this.#payloads.length;
  }

  /** Whether bytes may be proposed; a first proposal always, however large. */
  fits(bytes: number): boolean {
    return bytes === 0 || this.#openBytes === 0 || this.#openBytes + bytes <= this.#limitBytes;
  }

  add(index: number, payload: Uint8Array): void {
    this.#payloads.push(payload);
    if (payload.length === 0) return;
    this.#open.push({ index, bytes: payload.length });
    this.#openBytes += payload.length;
  }

  take(): readonly Uint8Array[] {
    const payloads = this.#payloads;
    this.#payloads = [];
    return payloads;
  }

  /** Entries up to `index` are applied. */
  applied(index: number): void {
    for (let next = this.#open[this.#head]; next !== undefined && next.index <= index; next = this.#open[this.#head]) {
      this.#openBytes -= next.bytes;
      this.#head++;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#open.length) {
      this.#open = this.#open.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Leadership ended: nothing of this is ours any more. */
  reset(): void {
    this.#payloads = [];
    this.#open = [];
    this.#head = 0;
    this.#openBytes = 0;
  }
}

/**
 * What arrived for a node and when it is handled: everything that comes during one turn of the event loop is handled together in the
 * next one.
 */
export class Inbox {
  readonly #defer: (task: () => void) => void;
  readonly #monotonic: () => number;
  readonly #turn: (waitedMs: number) => void;
  readonly #failed: (error: unknown) => void;
  #inputs: (() => void)[] = [];
  #ticks = 0;
  #isScheduled = false;
  /** What arrives before the first turn waits for it, what arrives after the last is dropped. */
  #state: 'before' | 'open' | 'closed' = 'before';

  constructor(options: {
    /** Runs a task soon. */
    readonly defer: (task: () => void) => void;
    /** Time that has passed, in ms. */
    readonly monotonic: () => number;
    /** Handles what {@link takeInputs} and {@link takeTicks} give, after it waited so long for its turn. */
    readonly turn: (waitedMs: number) => void;
    readonly failed: (error: unknown) => void;
  }) {
    this.#defer = options.defer;
    this.#monotonic = options.monotonic;
    this.#turn = options.turn;
    this.#failed = options.failed;
  }

  /** From now on there are turns; the first one comes soon. */
  open(): void {
    this.#state = 'open';
    this.wake();
  }

  /** No turn comes any more. */
  close(): void {
    this.#state = 'closed';
    this.#inputs = [];
  }

  add(input: () => void): void {
    if (this.#state === 'closed') return;
    this.#inputs.push(input);
    this.wake();
  }

  tick(): void {
    this.#ticks++;
    this.wake();
  }

  /** Asks for a turn soon. */
  wake(): void {
    if (this.#isScheduled || this.#state !== 'open') return;
    this.#isScheduled = true;
    const asked = this.#monotonic();
    this.#defer(() => {
      this.#isScheduled = false;
      if (this.#state !== 'open') return;
      try {
        this.#turn(this.#monotonic() - asked);
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  takeInputs(): readonly (() => void)[] {
    const inputs = this.#inputs;
    this.#inputs = [];
    return inputs;
  }

  takeTicks(): number {
    const ticks = this.#ticks;
    this.#ticks = 0;
    return ticks;
  }
}

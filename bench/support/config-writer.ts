/** A client that writes all the time, to see how long a cluster takes no writes. */
import type { TestDaemon } from '../../test/support/cluster.ts';
import { pause } from './waiting.ts';

const CALL_TIMEOUT_MS = 5_000;

/** Creates one config after the other; a manager that does not answer is passed over. */
export class ConfigWriter {
  readonly acknowledged: string[] = [];
  readonly #managers: readonly TestDaemon[];
  /** When the last write that was accepted had been sent, and when it was accepted. */
  #last = { sentAt: 0, acceptedAt: 0 };
  #isStopped = false;
  #next = 0;

  constructor(managers: readonly TestDaemon[]) {
    this.#managers = managers;
  }

  async run(): Promise<void> {
    for (let i = 0; !this.#isStopped; i++) {
      const name = `config-${i}`;
      const manager = this.#managers[this.#next % this.#managers.length] as TestDaemon;
      const sentAt = performance.now();
      try {
        const body = { Name: name, Data: Buffer.from(name).toString('base64') };
        const { status } = await manager.call('POST', '/configs/create', body, CALL_TIMEOUT_MS);
        if (status !== 201) throw new Error(`answered ${status}`);
        this.acknowledged.push(name);
        this.#last = { sentAt, acceptedAt: performance.now() };
      } catch {
        this.#next++;
        await pause(5);
      }
    }
  }

  /** Resolves with when the first write that was sent after `since` was accepted. */
  async acceptedAfter(since: number): Promise<number> {
    while (this.#last.sentAt <= since) await pause(1);
    return this.#last.acceptedAt;
  }

  stop(): void {
    this.#isStopped = true;
  }
}

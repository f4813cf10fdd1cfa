import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { serveWatch } from '../../../src/api/swarmd/watch-socket.ts';
import { systemClock } from '../../../src/common/clock.ts';
import type { Swarm } from '../../../src/api/ports.ts';
import { issuerInfo } from '../../../src/identity/certificate.ts';
import { aService } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { localStore } from '../../support/local-store.ts';

/** A client that takes what is sent only when it is told to. */
class SlowClient extends EventEmitter {
  readonly bufferedAmount = 0;
  readonly texts: string[] = [];
  #taken: (() => void) | undefined;

  send(text: string, taken?: () => void): void {
    this.texts.push(text);
    this.#taken = taken;
  }

  take(): void {
    this.#taken?.();
  }

  close(): void {
    this.emit('close');
  }
}

describe('the list a watch begins with', () => {
  it('goes on as the client takes it, and never waits whole in memory', async () => {
    const { store } = localStore(systemClock);
    for (let i = 0; i < 5; i++) {
      await store.update((tx) => {
        for (let j = 0; j < 100; j++) tx.service.create(aService({ id: `s${i}-${j}` }));
      });
    }
    const client = new SlowClient();
    const closing = new AbortController();
    const served = serveWatch(
      client as unknown as WebSocket,
      { store } as unknown as Swarm,
      { since: undefined, kinds: ['service'], list: true },
      { clock: systemClock, closing: closing.signal, apiMinor: 41, issuerOf: issuerInfo },
    );
    const listed = (): number[] =>
      client.texts.map((text) => (JSON.parse(text) as { objects?: [] }).objects?.length ?? 0);
    for (const soFar of [
      [0, 200],
      [0, 200, 200],
      [0, 200, 200, 100],
    ]) {
      await eventually(() => expect(listed()).toEqual(soFar));
      await new Promise((resolve) => setImmediate(resolve));
      expect(listed()).toEqual(soFar);
      client.take();
    }
    await store.update((tx) => tx.service.delete('s0-0'));
    await eventually(() => expect(client.texts).toHaveLength(5));
    closing.abort();
    await served;
  });
});

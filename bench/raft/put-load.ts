/** Clients that put values at a leader, each waiting for its answer before the next: latencies and the rate. */
import { randomBytes } from 'node:crypto';
import { Client, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { KvService, type PutRequest, type PutResponse } from './kv.ts';

const VALUE_BYTES = 256;
const KEYS = 10_000;
const CONNECTIONS = 8;
const DEADLINE_MS = 20_000;

export interface Target {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

export interface Load {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
}

export class PutLoad {
  readonly #clients: readonly Client[];
  readonly #value = randomBytes(VALUE_BYTES);
  #next = 0;

  constructor({ address, credentials, options }: Target) {
    const own = { ...options, 'grpc.use_local_subchannel_pool': 1 };
    this.#clients = Array.from({ length: CONNECTIONS }, () => new Client(address, credentials, own));
  }

  async run(clients: number, durationMs: number): Promise<Load> {
    const latenciesMs: number[] = [];
    const begin = performance.now();
    const end = begin + durationMs;
    const one = async (client: Client): Promise<void> => {
      for (let now = performance.now(); now < end;) {
        await this.#put(client);
        const after = performance.now();
        latenciesMs.push(after - now);
        now = after;
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, i) => one(this.#clients[i % CONNECTIONS] as Client)));
    return { perSecond: latenciesMs.length / ((performance.now() - begin) / 1000), latenciesMs };
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #put(client: Client): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = KvService.put;
    const request: PutRequest = { key: `key-${this.#next++ % KEYS}`, value: this.#value };
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest<PutRequest, PutResponse>(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline: Date.now() + DEADLINE_MS },
        (error) => (error ? reject(error) : resolve()),
      );
    });
  }
}

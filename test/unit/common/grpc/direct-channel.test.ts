import { connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectChannel } from '../../../../src/common/grpc/direct-channel.ts';

const same = (bytes: Buffer): Buffer => bytes;
const method = (path: string, responseStream: boolean) => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const LARGE = 300_000;

const handlers = {
  echo: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
    call.sendMetadata(call.metadata);
    done(null, call.request);
  },
  refuse: (_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
    const metadata = new Metadata();
    metadata.set('why', 'tired');
    done({ code: status.FAILED_PRECONDITION, details: 'not today, 100 % – naïve', metadata });
  },
  silent: () => undefined,
  count: (call: ServerWritableStream<Buffer, Buffer>) => {
    for (let length = 0; length <= LARGE; length += LARGE / 3) call.write(Buffer.alloc(length, length % 251));
    if (call.request.length > 0) call.end();
  },
};

describe('a direct channel', () => {
  let server: Server;
  let client: Client;
  let port: number;

  beforeEach(async () => {
    server = new Server();
    server.addService(
      {
        echo: method('/t/echo', false),
        refuse: method('/t/refuse', false),
        silent: method('/t/silent', false),
        count: method('/t/count', true),
      },
      handlers,
    );
    port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    client = clientTo(port);
  });

  afterEach(() => {
    client.close();
    server.forceShutdown();
  });

  const clientTo = (at: number): Client => {
    const channelOverride = new DirectChannel(`127.0.0.1:${at}`, connect(`http://127.0.0.1:${at}`));
    return new Client('', credentials.createInsecure(), { channelOverride });
  };

  const ask = (path: string, bytes: Buffer, options = {}, metadata = new Metadata()) => {
    let received: Metadata | undefined;
    return new Promise<{ answer: Buffer; received: Metadata | undefined }>((resolve, reject) => {
      client
        .makeUnaryRequest(path, same, same, bytes, metadata, options, (error, answer) =>
          error ? reject(error) : resolve({ answer: answer as Buffer, received }),
        )
        .on('metadata', (sent: Metadata) => (received = sent));
    });
  };

  const failure = (asked: Promise<unknown>): Promise<ServiceError> =>
    asked.then(
      () => expect.unreachable('the call succeeded'),
      (error: ServiceError) => error,
    );

  it('carries requests, answers and metadata of any size', async () => {
    const metadata = new Metadata();
    metadata.set('colour', 'green');
    const small = await ask('/t/echo', Buffer.from('hello'), {}, metadata);
    expect(small.answer.toString()).toBe('hello');
    expect(small.received?.get('colour')).toEqual(['green']);
    expect((await ask('/t/echo', Buffer.alloc(LARGE, 7))).answer.equals(Buffer.alloc(LARGE, 7))).toBe(true);
    expect((await ask('/t/echo', Buffer.alloc(0))).answer).toHaveLength(0);
  });

  it('hands on every message of a stream, and its end', async () => {
    const lengths: number[] = [];
    for await (const message of client.makeServerStreamRequest('/t/count', same, same, Buffer.from('end'))) {
      const bytes = message as Buffer;
      expect(bytes.every((byte) => byte === bytes.length % 251)).toBe(true);
      lengths.push(bytes.length);
    }
    expect(lengths).toEqual([0, LARGE / 3, (2 * LARGE) / 3, LARGE]);
  });

  it('says why a call failed, in the words of the server', async () => {
    const error = await failure(ask('/t/refuse', Buffer.alloc(1)));
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'not today, 100 % – naïve' });
    expect(error.metadata.get('why')).toEqual(['tired']);
    expect(await failure(ask('/t/nothing', Buffer.alloc(1)))).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('gives up at the deadline', async () => {
    const error = await failure(ask('/t/silent', Buffer.alloc(1), { deadline: Date.now() + 50 }));
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
  });

  it('ends a stream that is cancelled', async () => {
    const call = client.makeServerStreamRequest('/t/count', same, same, Buffer.alloc(0));
    const ended = failure(
      (async () => {
        for await (const message of call) if ((message as Buffer).length === LARGE) call.cancel();
      })(),
    );
    expect((await ended).code).toBe(status.CANCELLED);
  });

  it('ends its calls when the connection breaks, and takes no more', async () => {
    const waiting = failure(ask('/t/silent', Buffer.alloc(1)));
    await ask('/t/echo', Buffer.alloc(1));
    server.forceShutdown();
    expect((await waiting).code).toBe(status.UNAVAILABLE);
    expect((await failure(ask('/t/echo', Buffer.alloc(1)))).code).toBe(status.UNAVAILABLE);
  });

  it('ends its calls when it is closed', async () => {
    const waiting = failure(ask('/t/silent', Buffer.alloc(1)));
    client.close();
    expect((await waiting).code).toBe(status.UNAVAILABLE);
  });

  it('is unavailable where nobody listens or something else answers', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    client.close();
    client = clientTo((other.address() as AddressInfo).port);
    const error = await failure(ask('/t/echo', Buffer.alloc(1)));
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('404') as string });
    client.close();
    await new Promise((resolve) => other.close(resolve));
    client = clientTo((await freed()) as number);
    expect((await failure(ask('/t/echo', Buffer.alloc(1)))).code).toBe(status.UNAVAILABLE);
  });

  it('tells when it is ready, or never will be', async () => {
    const ready = (of: Client) => new Promise<Error | undefined>((done) => of.waitForReady(Date.now() + 5_000, done));
    expect(await ready(client)).toBeUndefined();
    client.close();
    client = clientTo((await freed()) as number);
    expect(await ready(client)).toBeInstanceOf(Error);
  });
});

/** A port where nobody listens. */
async function freed(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  Client,
  credentials,
  Metadata,
  status,
  type CallOptions,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SwarmError } from '../../../../src/common/errors.ts';
import { frameOf } from '../../../../src/common/grpc/frames.ts';
import { GrpcServer } from '../../../../src/common/grpc/server.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { addService, type Caller, type CallContext } from '../../../../src/common/rpc.ts';
import { collectGarbage } from '../../../support/collect-garbage.ts';

const same = (bytes: Buffer): Buffer => bytes;
const readable = (bytes: Buffer): Buffer => {
  if (bytes.toString() === 'nonsense') throw new Error('no such field');
  return bytes;
};
type Bytes<Q, R> = MethodDefinition<Buffer, Buffer> & { readonly requestStream: Q; readonly responseStream: R };
const method = <Q extends boolean, R extends boolean>(
  name: string,
  requestStream: Q,
  responseStream: R,
): Bytes<Q, R> => ({
  path: `/t.T/${name}`,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: readable,
  responseSerialize: same,
  responseDeserialize: same,
});
const SERVICE = {
  echo: method('Echo', false, false),
  refuse: method('Refuse', false, false),
  break: method('Break', false, false),
  silent: method('Silent', false, false),
  count: method('Count', false, true),
  sum: method('Sum', true, false),
  chat: method('Chat', true, true),
  secret: method('Secret', false, false),
};
const CALLER: Caller = { nodeId: 'n', role: 'worker', clusterId: 'c', address: '' };
const MAX_MESSAGE_BYTES = 1_000_000;
const LARGE = 300_000;

describe('a gRPC server', () => {
  let tcp: Server;
  let client: Client;
  let port: number;
  let sockets: Socket[];
  /** Numbers that Count has made. */
  let counted: number;
  let contexts: CallContext[];
  let asked: string[];

  const start = async (keepaliveMs?: number): Promise<void> => {
    const grpc = new GrpcServer({ maxMessageBytes: MAX_MESSAGE_BYTES, ...(keepaliveMs && { keepaliveMs }) });
    const identify = (call: { getPeer(): string }): Caller => ({ ...CALLER, address: call.getPeer() });
    addService(
      grpc,
      SERVICE,
      {
        echo: {
          access: 'anyone',
          handle: (request, context) => {
            contexts.push(context);
            return Buffer.concat([request, Buffer.from(String(context.metadata.get('suffix')[0] ?? ''))]);
          },
        },
        refuse: {
          access: 'anyone',
          handle: () => {
            throw new SwarmError('outOfSequence', 'nicht heute, 100 % – naïve\n\ud800');
          },
        },
        break: {
          access: 'anyone',
          handle: () => Promise.reject(new TypeError('a bug')),
        },
        silent: {
          access: 'anyone',
          handle: (_request, context) => {
            contexts.push(context);
            return new Promise<Buffer>((_resolve, reject) =>
              context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)),
            );
          },
        },
        count: {
          access: 'anyone',
          async *handle(request, context) {
            contexts.push(context);
            const [to, bytes] = request.toString().split(' ').map(Number) as [number, number];
            for (counted = 0; counted < to; counted++) yield Buffer.alloc(bytes, counted);
            if (bytes === 0) throw new SwarmError('resourceExhausted', 'no more');
          },
        },
        sum: {
          access: 'anyone',
          async handle(requests) {
            let sum = 0;
            for await (const request of requests) {
              if (request.toString() === 'enough') break;
              sum += request.length;
              asked.push(request.toString('latin1', 0, 10));
            }
            return Buffer.from(String(sum));
          },
        },
        chat: {
          access: 'anyone',
          async *handle(requests) {
            for await (const request of requests) yield Buffer.from(`you said ${request.toString()}`);
          },
        },
        secret: { access: 'manager', handle: () => Buffer.from('s') },
      },
      { identify, log: silentLogger },
    );
    sockets = [];
    tcp = createServer((socket) => {
      sockets.push(socket);
      grpc.accept(socket);
    });
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    ({ port } = tcp.address() as AddressInfo);
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    contexts = [];
    asked = [];
  };

  beforeEach(() => start());

  afterEach(async () => {
    client.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => tcp.close(resolve));
  });

  const ask = (
    name: keyof typeof SERVICE,
    request: Buffer | string = '',
    metadata = new Metadata(),
    options: CallOptions = {},
  ): Promise<Buffer> =>
    new Promise((resolve, reject) =>
      client.makeUnaryRequest(
        SERVICE[name].path,
        same,
        same,
        Buffer.from(request),
        metadata,
        options,
        (error, answer) => (error ? reject(error) : resolve(answer as Buffer)),
      ),
    );
  const failure = (promise: Promise<unknown>): Promise<ServiceError> =>
    promise.then(
      () => Promise.reject(new Error('it should have failed')),
      (error: ServiceError) => error,
    );

  it('answers calls, however large, with what came beside them', async () => {
    const metadata = new Metadata();
    metadata.set('suffix', '!');
    expect((await ask('echo', 'hello', metadata)).toString()).toBe('hello!');
    expect((await ask('echo', Buffer.alloc(LARGE, 7))).equals(Buffer.alloc(LARGE, 7))).toBe(true);
    expect(await ask('echo', '')).toHaveLength(0);
    const many = await Promise.all(Array.from({ length: 300 }, (_, i) => ask('echo', `call ${i}`)));
    expect(many.map(String)).toEqual(Array.from({ length: 300 }, (_, i) => `call ${i}`));
    expect(contexts[0]?.caller.address).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('says why a call failed, with our own code', async () => {
    const refused = await failure(ask('refuse'));
    expect(refused).toMatchObject({ code: status.ABORTED, details: 'nicht heute, 100 % – naïve\n\ufffd' });
    expect(refused.metadata.get('swarmd-code')).toEqual(['outOfSequence']);
    expect(await failure(ask('break'))).toMatchObject({ code: status.INTERNAL, details: 'a bug' });
    expect(await failure(ask('echo', 'nonsense'))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'the request of /t.T/Echo cannot be read: no such field',
    });
    expect((await failure(ask('secret'))).code).toBe(status.PERMISSION_DENIED);
    const unknown = new Promise((resolve, reject) =>
      client.makeUnaryRequest('/t.T/None', same, same, Buffer.alloc(0), (error) =>
        error ? reject(error) : resolve(0),
      ),
    );
    expect(await failure(unknown)).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: 'the server does not know the method /t.T/None',
    });
  });

  it('refuses a message above the limit', async () => {
    const error = await failure(ask('echo', Buffer.alloc(MAX_MESSAGE_BYTES + 1)));
    expect(error).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'a message of 1000001 bytes is larger than 1000000',
    });
  });

  it('ends the work for a call whose deadline passes or that is cancelled', async () => {
    const late = await failure(ask('silent', '', new Metadata(), { deadline: Date.now() + 50 }));
    expect(late.code).toBe(status.DEADLINE_EXCEEDED);
    await vi.waitUntil(() => contexts[0]?.signal.aborted === true);
    const call = client.makeUnaryRequest(SERVICE.silent.path, same, same, Buffer.alloc(0), () => undefined);
    await vi.waitUntil(() => contexts.length === 2);
    expect(contexts[1]?.signal.aborted).toBe(false);
    call.cancel();
    await vi.waitUntil(() => contexts[1]?.signal.aborted === true);
  });

  it('ends the work for calls whose connection breaks', async () => {
    const lost = failure(ask('silent'));
    await vi.waitUntil(() => contexts.length === 1);
    sockets[0]?.destroy();
    expect((await lost).code).toBe(status.UNAVAILABLE);
    await vi.waitUntil(() => contexts[0]?.signal.aborted === true);
  });

  it('sends streams, then how they ended', async () => {
    const lengths: number[] = [];
    for await (const message of client.makeServerStreamRequest(SERVICE.count.path, same, same, Buffer.from('5 100000')))
      lengths.push((message as Buffer).length);
    expect(lengths).toEqual(Array<number>(5).fill(100_000));
    const failed = async (): Promise<void> => {
      for await (const message of client.makeServerStreamRequest(SERVICE.count.path, same, same, Buffer.from('3 0')))
        lengths.push((message as Buffer).length);
    };
    expect(await failure(failed())).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: 'no more' });
    expect(lengths).toHaveLength(8);
  });

  it('makes no more of a stream than its reader takes, and stops when it leaves', async () => {
    const call = client.makeServerStreamRequest(SERVICE.count.path, same, same, Buffer.from('1000 100000'));
    call.on('error', () => undefined);
    await new Promise<void>((resolve) => call.once('readable', () => resolve()));
    await vi.waitUntil(() => counted > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(counted).toBeLessThan(20);
    call.cancel();
    await vi.waitUntil(() => contexts[0]?.signal.aborted === true);
  });

  it('takes streams, and answers before their end when it has heard enough', async () => {
    const sum = (requests: readonly Buffer[], isEnded: boolean): Promise<string> =>
      new Promise((resolve, reject) => {
        const call = client.makeClientStreamRequest(SERVICE.sum.path, same, same, (error, answer) =>
          error ? reject(error) : resolve(String(answer)),
        );
        for (const request of requests) call.write(request);
        if (isEnded) call.end();
      });
    expect(await sum([Buffer.alloc(LARGE), Buffer.alloc(0), Buffer.alloc(3)], true)).toBe(String(LARGE + 3));
    expect(await sum([Buffer.alloc(4), Buffer.from('enough'), Buffer.alloc(3)], false)).toBe('4');
  });

  it('talks both ways', async () => {
    const call = client.makeBidiStreamRequest(SERVICE.chat.path, same, same);
    const heard: string[] = [];
    call.on('data', (message: Buffer) => void heard.push(message.toString()));
    const ended = new Promise((resolve) => call.on('end', resolve));
    call.write(Buffer.from('one'));
    await vi.waitUntil(() => heard.length === 1);
    call.write(Buffer.from('two'));
    call.end();
    await ended;
    expect(heard).toEqual(['you said one', 'you said two']);
  });

  describe('from clients that do not keep to the protocol', () => {
    let session: ClientHttp2Session;

    beforeEach(() => {
      session = connect(`http://127.0.0.1:${port}`);
    });

    afterEach(() => session.destroy());

    const post = (body: Buffer, headers: Record<string, string> = {}): Promise<IncomingHttpHeaders> =>
      new Promise((resolve, reject) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': SERVICE.echo.path,
          'content-type': 'application/grpc',
          ...headers,
        });
        stream.on('response', resolve).on('error', reject).resume().end(body);
      });

    it('refuses what is no gRPC', async () => {
      const { ':status': code } = await post(Buffer.alloc(0), { 'content-type': 'text/plain' });
      expect(code).toBe(constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE);
    });

    it('names what is wrong with messages and timeouts', async () => {
      const one = frameOf(Buffer.from('x'));
      const compressed = Buffer.from(one);
      compressed[0] = 1;
      const invalid = String(status.INVALID_ARGUMENT);
      for (const [body, headers, code, message] of [
        [Buffer.alloc(0), {}, invalid, 'this call takes one message, and none came'],
        [one.subarray(0, 3), {}, invalid, 'the last message ends before its length'],
        [Buffer.concat([one, one]), {}, invalid, 'this call takes one message, not several'],
        [compressed, {}, String(status.UNIMPLEMENTED), 'compressed messages are not taken'],
        [one, { 'grpc-timeout': 'soon' }, invalid, 'grpc-timeout soon is not a number with a unit'],
      ] as const) {
        const answer = await post(body, headers);
        expect(answer['grpc-status']).toBe(code);
        expect(decodeURI(String(answer['grpc-message']))).toContain(message);
      }
      expect((await post(one, { 'grpc-timeout': '1H' }))[':status']).toBe(constants.HTTP_STATUS_OK);
    });

    it('survives streams that are reset, and connections that break, at any moment', async () => {
      for (let i = 0; i < 200; i++) {
        const own = connect(`http://127.0.0.1:${port}`);
        own.on('error', () => undefined);
        for (const name of ['Echo', 'Count', 'Sum', 'None', 'Silent']) {
          const stream = own.request({
            ':method': 'POST',
            ':path': `/t.T/${name}`,
            'content-type': 'application/grpc',
          });
          stream.on('error', () => undefined).resume();
          if (i % 2 === 0) stream.end(frameOf(Buffer.from('9 9')));
          if (i % 3 === 0) stream.close(constants.NGHTTP2_CANCEL);
          if (i % 3 === 1) setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), i % 7);
        }
        setTimeout(() => own.destroy(), i % 11);
        if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect((await ask('echo', 'still here')).toString()).toBe('still here');
    });

    it('keeps nothing of what follows a message it refused', async () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': SERVICE.echo.path,
        'content-type': 'application/grpc',
      });
      stream.on('error', () => undefined).resume();
      const large = frameOf(Buffer.alloc(0));
      large.writeUInt32BE(MAX_MESSAGE_BYTES + 1, 1);
      stream.write(large);
      const more = Buffer.alloc(MAX_MESSAGE_BYTES);
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      for (let i = 0; i < 100; i++) await new Promise((resolve) => stream.write(more, resolve));
      collectGarbage();
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * MAX_MESSAGE_BYTES);
      stream.close();
    });

    it('survives connections that speak something else', async () => {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => undefined);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.resume();
      await closed;
      expect((await ask('echo', 'still here')).toString()).toBe('still here');
    });
  });

  it('closes a connection whose other side is silent', async () => {
    client.close();
    // Long enough for an answer on a busy machine.
    await start(100);
    await ask('echo', 'x');
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(sockets[0]?.destroyed).toBe(false);
    const silent = connectTcp(port, '127.0.0.1');
    const closed = new Promise((resolve) => silent.on('close', resolve));
    silent.on('error', () => undefined).resume();
    silent.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    await closed;
    expect((await ask('echo', 'y')).toString()).toBe('y');
  });
});

/**
 * gRPC services as plain typed functions: a handler gets the request and who asks, returns a value, a promise or an
 * async iterable, and throws SwarmError. Authorisation is declared beside each method; everything else about gRPC lives here.
 */
import { Metadata, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { ERROR_KINDS, errorText, SwarmError, toSwarmError } from './errors.ts';
import type { CallHandler, GrpcServer } from './grpc/server.ts';
import { CALLER_GONE, OK, type CallStatus, type ServerCall } from './grpc/server-call.ts';
import type { Logger } from './log.ts';
import { breakLongTurn } from './long-turns.ts';

/** Who makes a call, taken from the client certificate. */
export interface Caller {
  /** Certificate common name; empty when no certificate was shown. */
  readonly nodeId: string;
  readonly role: 'manager' | 'worker' | 'anonymous';
  /** Cluster id (certificate organisation); empty when no certificate was shown. */
  readonly clusterId: string;
  /** Remote address "ip:port". */
  readonly address: string;
}

/** Who may call a method: anyone, any member of the cluster, or managers only. */
export type Access = 'anyone' | 'member' | 'manager';

export interface CallContext {
  readonly caller: Caller;
  /** Aborts when the client goes away or the deadline passes. */
  readonly signal: AbortSignal;
  readonly metadata: Metadata;
}

type RequestOf<M> = M extends MethodDefinition<infer Q, infer _R> ? Q : never;
type ResponseOf<M> = M extends MethodDefinition<infer _Q, infer R> ? R : never;

type HandlerOf<M> = M extends { readonly requestStream: true; readonly responseStream: true }
  ? (requests: AsyncIterable<RequestOf<M>>, context: CallContext) => AsyncIterable<ResponseOf<M>>
  : M extends { readonly requestStream: true }
    ? (requests: AsyncIterable<RequestOf<M>>, context: CallContext) => Promise<ResponseOf<M>>
    : M extends { readonly responseStream: true }
      ? (request: RequestOf<M>, context: CallContext) => AsyncIterable<ResponseOf<M>>
      : (request: RequestOf<M>, context: CallContext) => Promise<ResponseOf<M>> | ResponseOf<M>;

/** One method: who may call it and what it does. */
export interface Method<M> {
  readonly access: Access;
  readonly handle: HandlerOf<M>;
}

/** All methods of a service, by name as in the generated definition (camelCase). */
export type ServiceMethods<D> = { readonly [K in keyof D]: Method<D[K]> };

/** Finds out who is behind a call, refusing removed nodes and strangers of other clusters. Throws SwarmError. */
export type IdentifyCaller = (call: { getPeer(): string }) => Caller;

export interface RpcServerOptions {
  readonly identify: IdentifyCaller;
  readonly log: Logger;
}

/** Adds a service to a gRPC server. */
export function addService<D extends ServiceDefinition>(
  server: GrpcServer,
  definition: D,
  methods: ServiceMethods<D>,
  { identify, log }: RpcServerOptions,
): void {
  for (const [name, method] of Object.entries(definition)) {
    const { access, handle } = methods[name as keyof D] as Method<never> & { handle: (...args: never[]) => unknown };
    const { path } = method;
    const open = (call: ServerCall): CallContext => {
      breakLongTurn();
      const caller = identify(call);
      authorize(path, access, caller);
      return new Context(call, caller);
    };
    server.add(path, adapt(method, open, handle as unknown as AnyHandler, server, log));
  }
}

class Context implements CallContext {
  readonly caller: Caller;
  readonly #call: ServerCall;

  constructor(call: ServerCall, caller: Caller) {
    this.#call = call;
    this.caller = caller;
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

type AnyHandler = (request: unknown, context: CallContext) => unknown;

function adapt(
  method: MethodDefinition<unknown, unknown>,
  open: (call: ServerCall) => CallContext,
  handle: AnyHandler,
  { turns }: GrpcServer,
  log: Logger,
): CallHandler {
  const decode = (bytes: Buffer): unknown => decoded(bytes, method);
  const run = async (call: ServerCall): Promise<void> => {
    // Who may not call is told so before its request is read.
    const context = open(call);
    const request = method.requestStream ? allDecoded(call.requests(), decode) : decode(await call.request());
    await turns.next();
    breakLongTurn();
    const result = handle(request, context);
    if (method.responseStream) {
      await sendAll(call, result as AsyncIterable<unknown>, method);
      call.end(OK);
      return;
    }
    const response = await result;
    // What was committed together is answered together.
    await turns.next();
    call.answer(method.responseSerialize(response));
  };
  return (call) =>
    void run(call).catch((error: unknown) => {
      // What fails after the caller went away is no failure of the handler.
      const cause = call.isGone || isPrematureClose(error) ? CALLER_GONE : error;
      call.end(statusOf(cause, method.path, log));
    });
}

/** Sends every value, waiting while the client reads slower than we write. */
async function sendAll(
  call: ServerCall,
  values: AsyncIterable<unknown>,
  { responseSerialize }: MethodDefinition<unknown, unknown>,
): Promise<void> {
  for await (const value of values) {
    if (call.isGone) return;
    if (!call.send(responseSerialize(value))) await call.writable();
  }
}

async function* allDecoded(
  messages: AsyncIterable<Buffer>,
  decode: (bytes: Buffer) => unknown,
): AsyncGenerator<unknown, void, undefined> {
  for await (const bytes of messages) yield decode(bytes);
}

function decoded(bytes: Buffer, { path, requestDeserialize }: MethodDefinition<unknown, unknown>): unknown {
  try {
    return requestDeserialize(bytes);
  } catch (error) {
    throw new SwarmError('invalidArgument', `the request of ${path} cannot be read: ${errorText(error)}`);
  }
}

const isPrematureClose = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

/** Throws unauthenticated or permissionDenied when a method is not for this caller. */
export function authorize(path: string, access: Access, caller: Caller): void {
  if (access === 'anyone') return;
  if (caller.role === 'anonymous') {
    throw new SwarmError(
      'unauthenticated',
      `${path} needs a client certificate of this cluster: join the cluster first, or leave and join again if its root was replaced meanwhile`,
    );
  }
  if (access === 'manager' && caller.role !== 'manager') {
    throw new SwarmError('permissionDenied', `${path} is for managers; node ${caller.nodeId} is a worker`);
  }
}

/** Metadata key that carries our own error code beside the coarser gRPC status. */
const CODE_KEY = 'swarmd-code';

/** A thrown value as gRPC wants it; bugs are logged with their stack and reach the client as Internal. */
export function statusOf(thrown: unknown, path: string, log: Logger): CallStatus {
  const error = toSwarmError(thrown);
  if (error.code === 'internal') log.error({ err: thrown, method: path }, 'rpc handler failed');
  const metadata = new Metadata();
  metadata.set(CODE_KEY, error.code);
  return { code: ERROR_KINDS[error.code].grpc, details: error.message, metadata };
}

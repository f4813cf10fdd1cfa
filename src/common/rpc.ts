/**
 * gRPC services as plain typed functions: a handler gets the request and who asks, returns a value, a promise or an
 * async iterable, and throws SwarmError. Authorisation is declared beside each method; everything else about gRPC lives here.
 */
import type { EventEmitter } from 'node:events';
import {
  Metadata,
  type MethodDefinition,
  type Server,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type UntypedHandleCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { ERROR_KINDS, SwarmError, toSwarmError } from './errors.ts';
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
  server: Server,
  definition: D,
  methods: ServiceMethods<D>,
  options: RpcServerOptions,
): void {
  const implementation: Record<string, UntypedHandleCall> = {};
  for (const [name, method] of Object.entries(definition)) {
    const { access, handle } = methods[name as keyof D] as Method<never> & { handle: (...args: never[]) => unknown };
    const path = method.path;
    const open = (call: AnyCall): CallContext => {
      breakLongTurn();
      const caller = options.identify(call);
      authorize(path, access, caller);
      return contextOf(call, caller);
    };
    implementation[name] = adapt(method, open, handle as unknown as AnyHandler, options.log) as UntypedHandleCall;
  }
  server.addService(definition, implementation);
}

type AnyCall =
  | ServerUnaryCall<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerReadableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;
type AnyHandler = (request: unknown, context: CallContext) => unknown;

function adapt(
  method: MethodDefinition<unknown, unknown>,
  open: (call: AnyCall) => CallContext,
  handle: AnyHandler,
  log: Logger,
): unknown {
  // What fails after the caller went away is no failure of the handler.
  const report = (call: AnyCall, error: unknown): ServiceError =>
    serviceError(call.cancelled || isPrematureClose(error) ? CALLER_GONE : error, method.path, log);
  if (method.responseStream) {
    return (call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>) => {
      const run = async (): Promise<void> => {
        const context = open(call);
        const request = method.requestStream ? call : (call as ServerWritableStream<unknown, unknown>).request;
        await writeAll(call, handle(request, context) as AsyncIterable<unknown>, context.signal);
      };
      run().then(
        () => call.end(),
        (error: unknown) => call.emit('error', report(call, error)),
      );
    };
  }
  return (
    call: ServerUnaryCall<unknown, unknown> | ServerReadableStream<unknown, unknown>,
    done: sendUnaryData<unknown>,
  ) => {
    const run = async (): Promise<unknown> => {
      const context = open(call);
      return handle(method.requestStream ? call : (call as ServerUnaryCall<unknown, unknown>).request, context);
    };
    run().then(
      (response) => done(null, response),
      (error: unknown) => done(report(call, error)),
    );
  };
}

/** Sends every value, waiting while the client reads slower than we write. */
async function writeAll(
  call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
  values: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for await (const value of values) {
    if (signal.aborted) return;
    if (!call.write(value)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          call.off('drain', go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        call.on('drain', go);
        signal.addEventListener('abort', go);
        if (signal.aborted) go();
      });
    }
  }
}

const isPrematureClose = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

const CALLER_GONE = new SwarmError('cancelled', 'the caller went away');

/** The signal is made only for handlers that look at it: most calls are short, and making one costs as much as the call. */
function contextOf(call: AnyCall, caller: Caller): CallContext {
  let controller: AbortController | undefined;
  return {
    caller,
    metadata: call.metadata,
    get signal() {
      if (controller) return controller.signal;
      const made = new AbortController();
      controller = made;
      const abort = (): void => made.abort(CALLER_GONE);
      if (call.cancelled || ('destroyed' in call && call.destroyed)) abort();
      else (call as EventEmitter).on('cancelled', abort).on('close', abort);
      return made.signal;
    },
  };
}

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
export function serviceError(thrown: unknown, path: string, log: Logger): ServiceError {
  const error = toSwarmError(thrown);
  if (error.code === 'internal') log.error({ err: thrown, method: path }, 'rpc handler failed');
  const metadata = new Metadata();
  metadata.set(CODE_KEY, error.code);
  return Object.assign(new Error(error.message), {
    code: ERROR_KINDS[error.code].grpc,
    details: error.message,
    metadata,
  });
}

/** What a client of gRPC is told of a thrown value, for stand-ins that answer without a server of ours. */
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import type { Logger } from '../../src/common/log.ts';
import { statusOf } from '../../src/common/rpc.ts';

export function serviceError(thrown: unknown, path: string, log: Logger): ServiceError {
  const { code, details, metadata } = statusOf(thrown, path, log);
  return Object.assign(new Error(details), { code, details, metadata: metadata as Metadata });
}

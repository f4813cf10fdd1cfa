/** The server of a manager's gRPC port. */
import { GrpcServer } from '../../common/grpc/server.ts';

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** A machine that is gone without a word is noticed by its connection, however long its heartbeats may be apart. */
const KEEPALIVE_MS = 10_000;

export const newGrpcServer = (): GrpcServer =>
  new GrpcServer({ maxMessageBytes: MAX_MESSAGE_BYTES, keepaliveMs: KEEPALIVE_MS });

/** The server of a manager's gRPC port. */
import { Server } from '@grpc/grpc-js';

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

export function newGrpcServer(): Server {
  return new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
    // A machine that is gone without a word is noticed by its connection, however long its heartbeats may be apart.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 10_000,
    // Nobody asks for gRPC's own records of calls and connections, which cost time and memory at each.
    'grpc.enable_channelz': 0,
  });
}

/** Sends a snapshot to another manager in pieces, over a connection of its own: a large one never delays a heartbeat. */
import type { ClientWritableStream } from '@grpc/grpc-js';
import type { Message } from 'raft-ts';
import type { Clock } from '../../common/clock.ts';
import { rpcError } from '../../common/rpc-client.ts';
import { managerChannelOptions, memberCredentials } from '../../identity/client-credentials.ts';
import type { NodeIdentity } from '../../identity/node-identity.ts';
import { RaftClient, type StreamRaftMessageRequest } from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import { messageToWire } from './wire.ts';

/** Longest that one piece may take. */
const CHUNK_TIMEOUT_MS = 5_000;

export interface SnapshotTarget {
  /** "host:port" */
  readonly address: string;
  readonly identity: NodeIdentity;
  readonly clock: Clock;
}

/** Resolves when the peer has it all. Throws SwarmError when the peer did not take it. */
export async function sendSnapshot(
  { address, identity, clock }: SnapshotTarget,
  message: Message,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const wire = messageToWire(message);
  const metadata = wire.snapshot?.metadata;
  const client = new RaftClient(address, memberCredentials(identity.current), managerChannelOptions);
  let answer: (error: Error | undefined) => void = () => undefined;
  const done = new Promise<void>((resolve, reject) => {
    answer = (error) => (error ? reject(error) : resolve());
  });
  done.catch(() => undefined);
  const stream = client.streamRaftMessage((error) => answer(error ?? undefined));
  stream.on('error', () => undefined);
  try {
    for await (const data of chunks) {
      const piece = {
        ...wire,
        snapshot: { data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), metadata },
      };
      if (!stream.write({ message: piece })) await Promise.race([drained(stream, clock), done]);
    }
    stream.end();
    await done;
  } catch (error) {
    stream.cancel();
    throw rpcError(error);
  } finally {
    client.close();
  }
}

function drained(stream: ClientWritableStream<StreamRaftMessageRequest>, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(CHUNK_TIMEOUT_MS, () =>
      reject(new Error(`a piece of the snapshot was not taken within ${CHUNK_TIMEOUT_MS} ms`)),
    );
    stream.once('drain', () => {
      cancel();
      resolve();
    });
  });
}

/** docker.swarmkit.v1.Raft: snapshots that other managers send to this one. Other messages come over {@link messageSockets}. */
import type { Message } from 'raft-ts';
import { SwarmError } from '../../common/errors.ts';
import type { ServiceMethods } from '../../common/rpc.ts';
import type { RaftService, StreamRaftMessageRequest } from '../../proto/generated/docker/swarmkit/v1/raft.ts';
import type { Message as MessagePb } from '../../proto/generated/raftpb/raftpb.ts';
import { incomingMessage } from './incoming-message.ts';
import type { MemberList } from './member-list.ts';

/** Collects the pieces of a snapshot that is being received; nothing is used before {@link finish}. */
export interface SnapshotSink {
  write(chunk: Uint8Array): Promise<void>;
  /** Verifies and keeps the snapshot; returns what the state machine is to find it by. */
  finish(): Promise<Uint8Array>;
  abort(): Promise<void>;
}

export interface RaftServicePorts {
  /** Throws unavailable while this manager is starting. */
  readonly members: () => MemberList;
  /** Hands a message to the raft node. */
  readonly step: (message: Message) => void;
  readonly openSnapshotSink: (message: Message) => Promise<SnapshotSink>;
}

export function raftMethods(ports: RaftServicePorts): ServiceMethods<typeof RaftService> {
  const accept = (wire: MessagePb | undefined): Message => incomingMessage(wire, ports.members());

  const receive = async (requests: AsyncIterable<StreamRaftMessageRequest>): Promise<Record<string, never>> => {
    let first: Message | undefined;
    let sink: SnapshotSink | undefined;
    try {
      for await (const request of requests) {
        const message = accept(request.message);
        if (!first) {
          first = message;
          if (message.snapshot) sink = await ports.openSnapshotSink(message);
        } else if (
          message.index !== first.index ||
          message.snapshot?.metadata.index !== first.snapshot?.metadata.index
        ) {
          throw new SwarmError(
            'invalidArgument',
            `pieces of different messages (index ${first.index} and ${message.index}) on one stream`,
          );
        }
        if (message.snapshot && sink) await sink.write(message.snapshot.data);
      }
      if (!first) throw new SwarmError('invalidArgument', 'message: nothing was sent');
      if (!first.snapshot || !sink) {
        ports.step(first);
        return {};
      }
      const data = await sink.finish();
      sink = undefined;
      ports.step({ ...first, snapshot: { ...first.snapshot, data } });
      return {};
    } finally {
      await sink?.abort();
    }
  };

  return {
    processRaftMessage: {
      access: 'manager',
      handle: ({ message }) => {
        ports.step(accept(message));
        return {};
      },
    },
    streamRaftMessage: { access: 'manager', handle: receive },
    resolveAddress: {
      access: 'manager',
      handle: ({ raftId }) => {
        const member = ports.members().get(raftId);
        if (!member) throw new SwarmError('notFound', `raft member ${raftId} not found`);
        return { addr: member.address };
      },
    },
  };
}

/** The messages of a Session stream: always complete, the first at once, a new one whenever something in it changes. */
import type { SessionMessage } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Cluster, Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { WeightedPeer } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { ServerStream } from '../../common/server-stream.ts';
import { durationOfMs } from '../../common/time.ts';
import { trustedRoots } from '../store/trusted-roots.ts';
import { mustDisconnect } from './refusals.ts';

/** What a message is made of; read anew for each. */
export interface SessionSource {
  readonly node: () => Node | undefined;
  readonly managers: () => readonly WeightedPeer[];
  readonly cluster: () => Cluster | undefined;
  /** Time between two reports of what tasks use; undefined for none. */
  readonly usageIntervalMs: () => number | undefined;
}

/** Wake the stream to have the next message sent; several wakes while the agent reads slowly make one message. */
export async function* sessionMessages(
  sessionId: string,
  stream: ServerStream,
  source: SessionSource,
): AsyncGenerator<SessionMessage> {
  if (!stream.isOpen()) return;
  do {
    const node = source.node();
    if (!node) throw mustDisconnect();
    yield sessionMessage({
      sessionId,
      node,
      managers: source.managers(),
      cluster: source.cluster(),
      usageIntervalMs: source.usageIntervalMs(),
    });
  } while (await stream.next());
}

/** A message; agents take each as everything there is to know. */
export const sessionMessage = (content: {
  readonly sessionId: string;
  readonly node: Node;
  readonly managers: readonly WeightedPeer[];
  readonly cluster: Cluster | undefined;
  readonly usageIntervalMs?: number | undefined;
}): SessionMessage => ({
  sessionId: content.sessionId,
  node: content.node,
  managers: content.managers,
  networkBootstrapKeys: content.cluster?.networkBootstrapKeys ?? [],
  RootCA: trustedRoots(content.cluster),
  usageInterval: content.usageIntervalMs === undefined ? undefined : durationOfMs(content.usageIntervalMs),
});

/** Whether a change of the cluster object belongs into a session message. */
export const clusterConcernsAgents = (old: Cluster | undefined, current: Cluster): boolean =>
  old === undefined ||
  old.networkBootstrapKeys !== current.networkBootstrapKeys ||
  !trustedRoots(old).equals(trustedRoots(current));

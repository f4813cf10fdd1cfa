/** What the dispatcher learns about a node, and what it makes of the stored node. */
import { isDeepStrictEqual } from 'node:util';
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import {
  NodeStatus_State as NodeState,
  type NodeDescription,
  type NodeStatus,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';

export type NodeReport =
  | {
      /** It registered. */
      readonly kind: 'ready';
      readonly nodeId: string;
      /** What it says about itself; undefined: as known. */
      readonly description: NodeDescription | undefined;
      /** IP address it was seen with. */
      readonly addr: string;
    }
  | { readonly kind: 'unknown' | 'down'; readonly nodeId: string; readonly message: string };

/** Of two reports waiting for one node the newer counts, but a description is not lost. */
export const laterNodeReport = (older: NodeReport, newer: NodeReport): NodeReport =>
  newer.kind === 'ready' && older.kind === 'ready'
    ? { ...newer, description: newer.description ?? older.description }
    : newer;

/** The node with the report applied; undefined when nothing changes. A node that is down does not become unknown. */
export function applyNodeReport(node: Node | undefined, report: NodeReport): Node | undefined {
  if (!node) return undefined;
  if (report.kind === 'unknown' && node.status?.state === NodeState.DOWN) return undefined;
  const status: NodeStatus =
    report.kind === 'ready'
      ? { state: NodeState.READY, message: '', addr: report.addr }
      : {
          state: report.kind === 'down' ? NodeState.DOWN : NodeState.UNKNOWN,
          message: report.message,
          addr: node.status?.addr ?? '',
        };
  const description = (report.kind === 'ready' ? report.description : undefined) ?? node.description;
  if (isDeepStrictEqual(node.status, status) && isDeepStrictEqual(node.description, description)) return undefined;
  return { ...node, status, description };
}

/** The IP address of "ip:port", without the brackets of IPv6. */
export function hostOf(address: string): string {
  const host = /^\[(.*)\]:\d+$/.exec(address)?.[1] ?? /^([^:]+):\d+$/.exec(address)?.[1] ?? address;
  return host.replace(/^::ffff:(?=\d+\.)/, '');
}

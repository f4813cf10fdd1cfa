/**
 * Which tasks on other nodes an agent must know of to build its overlay networks and to lead connections to services:
 * those that share a network with a task of its node, and those behind published ports, which every node answers at. Only
 * agents that ask for them get any.
 */
import { expandTemplate } from '../../common/service-template.ts';
import { templateContext } from '../../common/task-naming.ts';
import {
  AssignmentChange_AssignmentAction as Action,
  NetworkPeer,
} from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { AssignmentChange } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { Network, Task, type Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeDescription, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';

type PeerReader = Pick<Reader, 'task' | 'node' | 'cluster' | 'network'>;

/** Stands for the ingress network, whatever its id: every node is on it. */
const INGRESS = 'ingress';
/** 0 stands for this one, as in Docker. */
const DEFAULT_VXLAN_PORT = 4_789;
/** Engines call a container by so much of its id. */
const SHORT_ID_LENGTH = 12;

export class PeerSet {
  readonly #nodeId: string;
  /** Networks of the node's tasks, with how many are on each. */
  readonly #networks = new Map<string, number>([[INGRESS, 1]]);
  readonly #networksOfTask = new Map<string, readonly string[]>();
  readonly #sent = new Map<string, Uint8Array>();

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  get networks(): Iterable<string> {
    return this.#networks.keys();
  }

  /** Takes note of a task of the node; returns the networks that came into use by it or fell out. */
  own(taskId: string, task: Task | undefined): readonly string[] {
    const before = this.#networksOfTask.get(taskId) ?? [];
    const now = task && isThere(task) ? spansOf(task) : [];
    if (now.length > 0) this.#networksOfTask.set(taskId, now);
    else this.#networksOfTask.delete(taskId);
    return [
      ...now.filter((id) => !before.includes(id) && this.#count(id, 1) === 1),
      ...before.filter((id) => !now.includes(id) && this.#count(id, -1) === 0),
    ];
  }

  /** Everything that may be a peer now or was one. */
  everything(reader: PeerReader): Iterable<string> {
    const ids = new Set(this.#sent.keys());
    const ingress = reader.network.all().flatMap(({ id, spec }) => (spec?.ingress ? [id] : []));
    for (const network of [...this.#networks.keys(), ...ingress]) {
      for (const { id } of reader.task.by('network', network)) ids.add(id);
    }
    return ids;
  }

  /** Changes to send for tasks that may have changed; afterwards they count as sent. */
  update(reader: PeerReader, taskIds: Iterable<string>): readonly AssignmentChange[] {
    const changes: AssignmentChange[] = [];
    for (const id of taskIds) {
      const peer = this.#peer(reader, reader.task.get(id));
      const sent = this.#sent.get(id);
      const bytes = peer && NetworkPeer.encode(peer).finish();
      if (peer && bytes) {
        if (sent && Buffer.compare(sent, bytes) === 0) continue;
        this.#sent.set(id, bytes);
        changes.push({ action: Action.UPDATE, assignment: { item: { $case: 'peer', value: peer } } });
      } else if (sent) {
        this.#sent.delete(id);
        const gone = NetworkPeer.fromPartial({ id });
        changes.push({ action: Action.REMOVE, assignment: { item: { $case: 'peer', value: gone } } });
      }
    }
    return changes;
  }

  #peer(reader: PeerReader, task: Task | undefined): NetworkPeer | undefined {
    if (!task || task.nodeId === this.#nodeId || !isThere(task)) return undefined;
    const node = reader.node.get(task.nodeId);
    const nodeAddr = node?.status?.addr ?? '';
    if (nodeAddr === '' || !spansOf(task).some((id) => this.#networks.has(id))) return undefined;
    const vxlanPort = reader.cluster.all()[0]?.VXLANUDPPort || DEFAULT_VXLAN_PORT;
    return { id: task.id, task: reachable(task), nodeAddr, vxlanPort, names: containerNames(task, node) };
  }

  #count(networkId: string, by: number): number {
    const count = (this.#networks.get(networkId) ?? 0) + by;
    if (count > 0) this.#networks.set(networkId, count);
    else this.#networks.delete(networkId);
    return count;
  }
}

/** Networks of a task that span nodes. */
export const spansOf = (task: Task): readonly string[] =>
  task.networks.flatMap(({ network, addresses }) =>
    network && addresses.length > 0 ? [network.spec?.ingress ? INGRESS : network.id] : [],
  );

function isThere(task: Task): boolean {
  const state = task.status?.state ?? TaskState.NEW;
  return state >= TaskState.ASSIGNED && state <= TaskState.RUNNING;
}

/** What names, addresses and ports of a task follow from; whether it is to be sent anything, from its states. */
function reachable(task: Task): Task {
  const { id, nodeId, serviceId, slot, annotations, networks, endpoint, desiredState } = task;
  const state = task.status?.state === TaskState.RUNNING ? TaskState.RUNNING : TaskState.ASSIGNED;
  return {
    ...Task.fromPartial({ id, nodeId, serviceId, slot, desiredState, status: { state } }),
    annotations,
    endpoint: endpoint && { ...endpoint, spec: undefined },
    serviceAnnotations: task.serviceAnnotations && { ...task.serviceAnnotations, labels: {}, indices: [] },
    networks: networks.map((attachment) => ({
      ...attachment,
      network: attachment.network && named(attachment.network),
    })),
  };
}

/** What others on its networks may call the container of a running task besides the names they make out themselves. */
function containerNames(task: Task, node: Node | undefined): readonly string[] {
  const { state, runtimeStatus } = task.status ?? {};
  if (state !== TaskState.RUNNING || runtimeStatus?.$case !== 'container') return [];
  const shortId = runtimeStatus.value.containerId.slice(0, SHORT_ID_LENGTH);
  return [hostnameOf(task, node), shortId].filter((name) => name !== '');
}

/** Empty unless the service asks for one; agents of others may expand what we cannot. */
function hostnameOf(task: Task, node: Node | undefined): string {
  const runtime = task.spec?.runtime;
  const hostname = runtime?.$case === 'container' ? runtime.value.hostname : '';
  try {
    return (
      hostname && expandTemplate(hostname, templateContext(task, node?.description ?? NodeDescription.fromPartial({})))
    );
  } catch {
    return '';
  }
}

function named({ id, spec, driverState }: Network): Network {
  const name = spec?.annotations?.name ?? '';
  return Network.fromPartial({
    id,
    spec: { annotations: { name }, ingress: spec?.ingress ?? false },
    driverState: { name: driverState?.name ?? '' },
  });
}

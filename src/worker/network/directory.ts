/**
 * Who is on which overlay network, under which names: what the name server answers from. Names are as in Docker Swarm:
 * the service, its aliases in a network, "tasks." before either, the task itself, and its container's host name and short id.
 * Where connections to virtual addresses are led to tasks, a service that has one is known by it.
 */
import type { NetworkAttachment, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { attachmentsInUse, isOverlay } from './overlay.ts';
import { taskName } from '../../common/task-naming.ts';

/** A task as others on its networks see it. */
export interface Member {
  readonly taskId: string;
  readonly taskName: string;
  readonly serviceName: string;
  /** Whether others may be sent to it: it runs and, with a health check, is healthy. */
  readonly isReady: boolean;
  /** Address of its node; undefined for tasks of this one. */
  readonly nodeAddress: string | undefined;
  /** Further names of its container. Those of our own the engine knows. */
  readonly containerNames: readonly string[];
  readonly places: readonly Place[];
}

/** What is known of a task on another node besides. */
export interface Elsewhere {
  readonly nodeAddr: string;
  readonly names: readonly string[];
}

/** A member's place in one network. */
export interface Place {
  readonly networkId: string;
  readonly networkName: string;
  /** IPv4 address without prefix length. */
  readonly address: string;
  readonly aliases: readonly string[];
  /** Virtual address of its service there. */
  readonly virtualAddress: string | undefined;
}

export function memberOf(task: Task, isReady: boolean, elsewhere?: Elsewhere): Member {
  return {
    taskId: task.id,
    taskName: taskName(task),
    serviceName: task.serviceAnnotations?.name ?? '',
    isReady,
    nodeAddress: elsewhere?.nodeAddr,
    containerNames: elsewhere?.names ?? [],
    places: inOrderOfAnswers(attachmentsInUse(task.networks.filter(isOverlay))).map(
      ({ network, addresses, aliases }) => ({
        networkId: network?.id ?? '',
        networkName: network?.spec?.annotations?.name ?? '',
        address: addresses[0]?.split('/')[0] ?? '',
        aliases,
        virtualAddress: task.endpoint?.virtualIps
          .find(({ networkId }) => networkId === network?.id)
          ?.addr.split('/')[0],
      }),
    ),
  };
}

/** Which of several networks of a container answers first: internal ones are last, the others go by name, as with Docker. */
function inOrderOfAnswers(attachments: readonly NetworkAttachment[]): readonly NetworkAttachment[] {
  const rank = ({ network }: NetworkAttachment): string =>
    `${network?.spec?.internal ? 1 : 0}${network?.spec?.annotations?.name ?? ''}`;
  return attachments.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

export class Directory {
  readonly #members = new Map<string, Member>();
  /** Network ids by the address of a member in any of its networks; subnets of a swarm never overlap. */
  readonly #networksOfAddress = new Map<string, readonly string[]>();
  /** Whether connections to virtual addresses are led to tasks. */
  leadsVirtualAddresses = false;

  put(member: Member): void {
    this.remove(member.taskId);
    this.#members.set(member.taskId, member);
    const networkIds = member.places.map(({ networkId }) => networkId);
    for (const { address } of member.places) this.#networksOfAddress.set(address, networkIds);
  }

  remove(taskId: string): void {
    for (const { address } of this.#members.get(taskId)?.places ?? []) this.#networksOfAddress.delete(address);
    this.#members.delete(taskId);
  }

  /** Members from other nodes on a network, with where they are: addresses of tasks to those of their nodes. */
  elsewhere(networkId: string): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const { nodeAddress, places } of this.#members.values()) {
      if (nodeAddress === undefined) continue;
      for (const place of places) if (place.networkId === networkId) found.set(place.address, nodeAddress);
    }
    return found;
  }

  /** Virtual addresses of the services with members on a network. */
  virtualAddresses(networkId: string): ReadonlySet<string> {
    const found = new Set<string>();
    if (!this.leadsVirtualAddresses) return found;
    for (const { places } of this.#members.values()) {
      for (const place of places) {
        if (place.networkId === networkId && place.virtualAddress) found.add(place.virtualAddress);
      }
    }
    return found;
  }

  /** Ids of members that are on other nodes. */
  get strangers(): readonly string[] {
    return [...this.#members.values()].filter((m) => m.nodeAddress !== undefined).map((m) => m.taskId);
  }

  /** Addresses behind a name as the task at `source` sees it; empty when nobody on its networks goes by it. */
  lookUp(source: string, name: string): readonly string[] {
    const networks = this.#networksOfAddress.get(source) ?? [];
    const wanted = name.toLowerCase().replace(/\.$/, '');
    // The first network that knows the name answers, as with Docker.
    for (const networkId of networks) {
      const found = this.#addressesIn(networkId, wanted);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** The name of the task with an address as the task at `source` sees it, with that of the network they share. */
  nameOf(source: string, address: string): string | undefined {
    const networks = this.#networksOfAddress.get(source) ?? [];
    for (const { isReady, taskName, places } of this.#members.values()) {
      const place = isReady && places.find((p) => p.address === address && networks.includes(p.networkId));
      if (place) return `${taskName}.${place.networkName}`;
    }
    return undefined;
  }

  #addressesIn(networkId: string, name: string): readonly string[] {
    const found = new Set<string>();
    for (const member of this.#members.values()) {
      if (!member.isReady) continue;
      for (const place of member.places) {
        const kind = place.networkId === networkId ? goesBy(member, place, name) : undefined;
        if (kind === undefined) continue;
        const virtual = kind === 'service' && this.leadsVirtualAddresses ? place.virtualAddress : undefined;
        found.add(virtual ?? place.address);
      }
    }
    return [...found];
  }
}

/** What a name stands for, if the member goes by it: its service as a whole, each of the tasks, or this task. */
function goesBy(member: Member, place: Place, asked: string): 'service' | 'tasks' | 'task' | undefined {
  const suffix = `.${place.networkName.toLowerCase()}`;
  const name = asked.endsWith(suffix) ? asked.slice(0, -suffix.length) : asked;
  const isEach = name.startsWith('tasks.');
  const shared = isEach ? name.slice('tasks.'.length) : name;
  const isShared = [member.serviceName, ...place.aliases].some((own) => own.toLowerCase() === shared);
  if (isShared) return isEach ? 'tasks' : 'service';
  return [member.taskName, ...member.containerNames].some((own) => own.toLowerCase() === name) ? 'task' : undefined;
}

/**
 * Overlay networks of the swarm on one engine that knows of no swarm: each is a bridge there with the overlay's name,
 * subnet and gateway, made for the first task that needs it and removed after the last. Names are answered by our own
 * server on the gateway's address, for the engine knows only its own containers.
 */
import type Dockerode from 'dockerode';
import type dgram from 'node:dgram';
import { errorText, SwarmError } from '../../../common/errors.ts';
import type { Logger } from '../../../common/log.ts';
import { systemRandom } from '../../../common/random.ts';
import type { NetworkPeer } from '../../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Network, Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskState } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { canBalanceOnBridges } from '../../balancer/kernel.ts';
import { memberOf, Directory } from '../../network/directory.ts';
import { serveNames } from '../../network/name-server.ts';
import { NetworkNamespace } from '../../network/namespace.ts';
import { isEncrypted, isOverlay, mtuOf, vxlanIdOf } from '../../network/overlay.ts';
import { isReachableNode, VxlanDevice } from '../../network/vxlan.ts';
import type { Changes } from '../../assignments.ts';
import { engineError, hasStatus } from './engine-error.ts';

/** Marks the engine's networks that are the swarm's; its value is the id there. */
const NETWORK_LABEL = 'swarmd.network.id';
const DNS_PORT = 53;

/** Containers in these states will not use their networks again. */
const ENDED_STATES: ReadonlySet<string> = new Set(['exited', 'dead', 'removing']);

export interface EngineNetworksOptions {
  readonly engine: Dockerode;
  readonly log: Logger;
}

interface Realised {
  readonly network: Network;
  readonly engineId: string;
  readonly names: dgram.Socket;
  /** Made when there is somebody on another node. */
  device: VxlanDevice | undefined;
  /** Virtual addresses of services that its bridge answers for. */
  virtualAddresses: ReadonlySet<string>;
}

export class EngineNetworks {
  readonly #engine: Dockerode;
  readonly #log: Logger;
  readonly #directory = new Directory();
  /** Tasks of ours, by network, that have it or are about to. */
  readonly #users = new Map<string, Set<string>>();
  /** What was set up on this host around the engine's network. */
  readonly #realised = new Map<string, Realised>();
  /** Whether connections to virtual addresses can be led on; asked for once. */
  #canLead: Promise<boolean> | undefined;
  /** UDP port of the cluster's overlay traffic, once there are other nodes. */
  #vxlanPort: number | undefined;
  /** What is done to networks is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ engine, log }: EngineNetworksOptions) {
    this.#engine = engine;
    this.#log = log;
  }

  /** Makes the task's networks on the engine; done again, it looks whether they are there. Throws SwarmError with the reason. */
  async join(task: Task): Promise<void> {
    const networks = overlaysOf(task);
    if (networks.length === 0) return;
    for (const { id } of networks) this.#usersOf(id).add(task.id);
    await this.#inTurn(async () => {
      for (const network of networks) await this.#provide(network);
      this.announce(task, false);
      for (const { id } of networks) {
        const realised = this.#realised.get(id);
        if (realised) await this.#connect(realised);
      }
    });
  }

  /** Says whether others may be sent to a task that has joined. */
  announce(task: Task, isReady: boolean): void {
    if (overlaysOf(task).length > 0) this.#directory.put(memberOf(task, isReady));
  }

  /** Takes note of who is on these networks on other nodes. */
  meetPeers({ updated, removed }: Changes<NetworkPeer>, isComplete: boolean): void {
    const gone = new Set(isComplete ? this.#directory.strangers : removed);
    for (const { task, nodeAddr, names, vxlanPort } of updated) {
      if (!task) continue;
      this.#vxlanPort = vxlanPort;
      gone.delete(task.id);
      const isReady = task.status?.state === TaskState.RUNNING && task.desiredState <= TaskState.RUNNING;
      this.#directory.put(memberOf(task, isReady, { nodeAddr, names }));
    }
    for (const taskId of gone) this.#directory.remove(taskId);
    if (gone.size === 0 && updated.length === 0) return;
    void this.#inTurn(async () => {
      for (const realised of this.#realised.values()) await this.#connect(realised);
    }).catch((error: unknown) =>
      this.#log.error({ err: error }, 'other nodes cannot be reached over a network of the swarm'),
    );
  }

  /** The task has ended: its networks go with the last task that has them. */
  async leave(task: Task): Promise<void> {
    const networks = overlaysOf(task);
    if (networks.length === 0) return;
    this.#directory.remove(task.id);
    for (const { id } of networks) this.#usersOf(id).delete(task.id);
    await this.sweep();
  }

  /** Removes every network of ours that no task has any more. */
  async sweep(): Promise<void> {
    await this.#inTurn(() => this.#removeUnused());
  }

  /** Lets go of everything; networks stay. */
  close(): void {
    for (const { names } of this.#realised.values()) names.close();
    this.#realised.clear();
  }

  async #provide(network: Network): Promise<void> {
    const name = nameOf(network);
    const gateway = network.ipam?.configs[0]?.gateway ?? '';
    const present = (await this.#ownNetworks()).find(({ Labels }) => Labels?.[NETWORK_LABEL] === network.id);
    const engineId = present?.Id ?? (await this.#make(network));
    if (this.#realised.get(network.id)?.engineId === engineId) return;
    this.#realised.get(network.id)?.names.close();
    try {
      const namespace = await NetworkNamespace.having(bridgeOf(engineId));
      const names = await namespace.udpSocket(gateway, DNS_PORT);
      serveNames(names, this.#directory, systemRandom, this.#log);
      if (namespace.isOwn) this.#directory.leadsVirtualAddresses = await (this.#canLead ??= canBalanceOnBridges());
      const virtualAddresses = await this.#answeredBefore(bridgeOf(engineId));
      const realised = { network, engineId, names, device: undefined, virtualAddresses };
      this.#realised.set(network.id, realised);
    } catch (error) {
      throw new SwarmError('unavailable', `network ${name} cannot be served on this node: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  /** Leads to the network's tasks on other nodes, and answers for the virtual addresses of its services. */
  async #connect(realised: Realised): Promise<void> {
    const { network, engineId } = realised;
    await this.#answerForServices(realised);
    const peers = new Map([...this.#directory.elsewhere(network.id)].filter(([, node]) => isReachableNode(node)));
    if (!realised.device) {
      if (peers.size === 0 || this.#vxlanPort === undefined) return;
      realised.device = await VxlanDevice.make({
        namespace: await NetworkNamespace.having(bridgeOf(engineId)),
        bridge: bridgeOf(engineId),
        vxlanId: vxlanIdOf(network),
        port: this.#vxlanPort,
        mtu: mtuOf(network),
      });
    }
    await realised.device.lead(peers);
  }

  /** Connections to these addresses then come to this host, which leads them on. */
  async #answerForServices(realised: Realised): Promise<void> {
    const wanted = this.#directory.virtualAddresses(realised.network.id);
    const present = realised.virtualAddresses;
    const on = `dev ${bridgeOf(realised.engineId)}`;
    const changes = [
      ...[...present].filter((address) => !wanted.has(address)).map((address) => `addr del ${address}/32 ${on}`),
      ...[...wanted].filter((address) => !present.has(address)).map((address) => `addr replace ${address}/32 ${on}`),
    ];
    if (changes.length === 0) return;
    await (
      await NetworkNamespace.having(bridgeOf(realised.engineId))
    ).run('ip', ['-force', '-batch', '-'], `${changes.join('\n')}\n`);
    realised.virtualAddresses = wanted;
  }

  /** Virtual addresses that an earlier run of the agent put on a bridge; others there belong to whole subnets. */
  async #answeredBefore(bridge: string): Promise<ReadonlySet<string>> {
    const namespace = await NetworkNamespace.having(bridge);
    const shown = await namespace.run('ip', ['-o', '-4', 'addr', 'show', 'dev', bridge]);
    return new Set([...shown.matchAll(/ inet ([\d.]+)\/32 /g)].map(([, address = '']) => address));
  }

  async #make(network: Network): Promise<string> {
    const name = nameOf(network);
    if (isEncrypted(network)) {
      throw new SwarmError(
        'failedPrecondition',
        `network ${name} is encrypted, which the docker runtime cannot do: use a network without the option "encrypted"`,
      );
    }
    try {
      // One of ours that is not used any more may still have its name or addresses.
      await this.#removeUnused();
      const made = await this.#engine.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Driver: 'bridge',
        Internal: network.spec?.internal ?? false,
        IPAM: {
          Driver: 'default',
          Config: (network.ipam?.configs ?? []).map(({ subnet, gateway }) => ({ Subnet: subnet, Gateway: gateway })),
        },
        Options: { 'com.docker.network.driver.mtu': mtuOf(network) },
        Labels: { [NETWORK_LABEL]: network.id },
      });
      this.#log.info({ network: name, networkId: network.id }, 'made a network of the swarm on the engine');
      return made.id;
    } catch (error) {
      throw engineError(error, `network ${name} cannot be made on this node: `);
    }
  }

  async #removeUnused(): Promise<void> {
    for (const { Id, Labels } of await this.#ownNetworks()) {
      const id = Labels?.[NETWORK_LABEL] ?? '';
      if (this.#usersOf(id).size > 0 || (await this.#isUsed(Id))) continue;
      await this.#remove(Id, id);
    }
  }

  async #remove(engineId: string, id: string): Promise<void> {
    const realised = this.#realised.get(id);
    realised?.names.close();
    await realised?.device?.remove();
    this.#realised.delete(id);
    this.#users.delete(id);
    try {
      await this.#engine.getNetwork(engineId).remove();
    } catch (error) {
      // 403: a container of somebody else is on it.
      if (!hasStatus(error, 404) && !hasStatus(error, 403)) throw engineError(error);
    }
  }

  async #isUsed(engineId: string): Promise<boolean> {
    const containers = await this.#engine.listContainers({ all: true, filters: { network: [engineId] } });
    return containers.some(({ State }) => !ENDED_STATES.has(State));
  }

  async #ownNetworks(): Promise<readonly Dockerode.NetworkInspectInfo[]> {
    try {
      return await this.#engine.listNetworks({ filters: { label: [NETWORK_LABEL] } });
    } catch (error) {
      throw engineError(error);
    }
  }

  #usersOf(networkId: string): Set<string> {
    let users = this.#users.get(networkId);
    if (!users) this.#users.set(networkId, (users = new Set()));
    return users;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

const overlaysOf = (task: Task): readonly Network[] =>
  task.networks.filter(isOverlay).flatMap(({ network }) => (network ? [network] : []));

const nameOf = (network: Network): string => network.spec?.annotations?.name ?? network.id;

/** The interface the engine makes for a bridge. */
const bridgeOf = (engineId: string): string => `br-${engineId.slice(0, 12)}`;

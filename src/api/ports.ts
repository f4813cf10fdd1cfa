/** What the API needs of the daemon: the cluster as a manager sees it, and the node it runs on. */
import type { Registry } from 'prom-client';
import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/log.ts';
import type { ControlService } from '../manager/control/control.ts';
import type { Store } from '../manager/store/store.ts';
import type { Service } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import type { SubscribeLogsMessage, SubscribeLogsRequest } from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { TaskUsage } from '../proto/generated/docker/swarmkit/v1/usage.ts';
import type { ClusterSpec, NodeSpec_Availability } from '../proto/generated/docker/swarmkit/v1/specs.ts';

export interface ApiPorts {
  readonly node: LocalNode;
  readonly swarm: SwarmPort;
  readonly issuerOf: IssuerOf;
  readonly metrics: Registry;
  readonly log: Logger;
  readonly clock: Clock;
}

/** DER of the subject and of the public key of a PEM root certificate: what nodes report of their certificate's issuer. */
export type IssuerOf = (rootPem: string) => { readonly subject: Buffer; readonly publicKey: Buffer };

/** The cluster, as long as this node is a working manager of one. */
export interface SwarmPort {
  /** Undefined while this node is in no swarm, is a worker, is locked or has not finished starting. */
  current(): Swarm | undefined;
  /** Calls `listener` each time {@link current} changes, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

/** What the API reads of the store. */
export type StoreReads = Pick<Store, 'version' | 'read' | 'watch' | 'watchSince' | 'readAndWatch'>;

export interface Swarm {
  /** Answers on any manager, forwarding changes to the leader. */
  readonly control: ControlService;
  readonly store: StoreReads;
  /**
   * Resolves when the local store shows everything that was committed before the call, so that a read sees all earlier
   * writes. Throws unavailable when there is no leader.
   */
  readBarrier(signal?: AbortSignal): Promise<void>;
  /** Log messages of the selected tasks; ends by itself unless `follow` is set, and whenever the signal aborts. */
  subscribeLogs(request: SubscribeLogsRequest, signal: AbortSignal): AsyncIterable<SubscribeLogsMessage>;
  /** What running tasks use of their nodes now; those on Docker Engines of their own are missing. Throws unavailable. */
  taskUsage(signal?: AbortSignal): Promise<readonly TaskUsage[]>;
  /** Why each task of a service is where it is, or waits: which node fails which filter. Throws notFound. */
  explainService(serviceId: string, signal?: AbortSignal): Promise<ServiceExplanation>;
  /** What a change of a service would do, played on a copy of the state. Throws what `change` throws. */
  planService(change: ServiceChange, signal?: AbortSignal): Promise<object>;
  status(): SwarmStatus;
  /** The whole state of this moment, secrets and the key of the authority included. */
  backup(): SwarmBackup;
}

export interface SwarmBackup {
  readonly head: BackupHead;
  /** A snapshot of the store, piece by piece. */
  readonly pieces: Iterable<Uint8Array>;
}

/** Which state a backup holds, and which manager made it. */
export interface BackupHead {
  readonly clusterId: string;
  readonly nodeId: string;
  /** "host:port" of that manager. */
  readonly address: string;
  /** Of the last entry that is in it. */
  readonly index: number;
  readonly term: number;
}

/** Makes a change with the use cases it is given; resolves with the service as it is then. */
export type ServiceChange = (control: ControlService) => Promise<Service | undefined>;

/** Health of the managers as this one sees it. */
export interface SwarmStatus {
  readonly clusterId: string;
  readonly nodeId: string;
  /** Node id of the leader; empty when there is none. */
  readonly leaderId: string;
  readonly isLeader: boolean;
  readonly term: number;
  /** Index of the last committed and of the last applied log entry. */
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** The last check of the raft log at rest; undefined before the first. */
  readonly logCheck?:
    | {
        /** When it ended, ISO 8601. */
        readonly at: string;
        readonly tookMs: number;
        /** File, byte and what is wrong there; empty when all is well. */
        readonly damage: string;
      }
    | undefined;
  /** SHA-256 of the replicated state at `appliedIndex`, hexadecimal: equal on all managers at the same index. */
  readonly stateHash: () => string;
  readonly members: readonly SwarmMember[];
}

interface SwarmMember {
  readonly nodeId: string;
  /** Decimal Raft id. */
  readonly raftId: string;
  /** "host:port" */
  readonly addr: string;
  readonly isLeader: boolean;
  readonly isReachable: boolean;
  /** Version of swarmd or of the engine there; empty when unknown. */
  readonly version: string;
}

export interface ServiceExplanation {
  readonly serviceId: string;
  readonly tasks: readonly TaskExplanation[];
}

interface TaskExplanation {
  readonly taskId: string;
  readonly slot: number;
  /** Empty while the task waits. */
  readonly nodeId: string;
  /** One sentence: where it runs, or why it waits. */
  readonly summary: string;
  readonly nodes: readonly NodeExplanation[];
}

interface NodeExplanation {
  readonly nodeId: string;
  readonly hostname: string;
  readonly fits: boolean;
  /** Every filter the node fails, in the order they are asked. */
  readonly refusals: readonly { readonly filter: string; readonly reason: string }[];
  /** Higher is better; undefined for nodes that do not fit. */
  readonly score: number | undefined;
}

/** `locked`: the manager's state is encrypted and waits for the unlock key. `error`: see the error text. */
type LocalNodeState = 'inactive' | 'pending' | 'active' | 'error' | 'locked';

export interface LocalNodeInfo {
  readonly state: LocalNodeState;
  /** Empty outside a swarm. */
  readonly nodeId: string;
  /** Address other nodes know this one by; empty outside a swarm. */
  readonly nodeAddr: string;
  /** Whether this node holds, or is about to hold, a manager's certificate. */
  readonly isManager: boolean;
  /** Why the state is `error` or `pending`; empty otherwise. */
  readonly error: string;
  /** Managers this node knows of. */
  readonly remoteManagers: readonly { readonly nodeId: string; readonly addr: string }[];
  /** When and why this manager last had to give up a damaged log and join the others anew; `count` times so far. */
  readonly repair?: { readonly at: string; readonly reason: string; readonly count: number } | undefined;
}

/** The machine and the program, for `docker info` and `docker version`. */
export interface SystemInfo {
  /** Stable id of this installation. */
  readonly id: string;
  readonly hostname: string;
  /** Of swarmd, for example "0.1.0". */
  readonly version: string;
  readonly gitCommit: string;
  /** RFC 3339; empty when unknown. */
  readonly buildTime: string;
  readonly kernelVersion: string;
  /** For example "Debian GNU/Linux 12 (bookworm)". */
  readonly operatingSystem: string;
  /** As Docker names it: "linux". */
  readonly osType: string;
  /** As uname names it: "x86_64". */
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** State folder. */
  readonly dataDir: string;
  /** Node labels given on the command line, as "key=value". */
  readonly labels: readonly string[];
  /** Name of the runtime driver: process, docker, containerd, none. */
  readonly runtime: string;
}

export interface InitSwarmRequest {
  /** "address[:port]"; the address may be an interface name. */
  readonly listenAddr: string;
  /** Empty: chosen by the node. */
  readonly advertiseAddr: string;
  readonly dataPathAddr: string;
  /** 0: the default, 4789. */
  readonly dataPathPort: number;
  readonly forceNewCluster: boolean;
  readonly availability: NodeSpec_Availability;
  /** Subnets ("10.20.0.0/16") networks are cut from; empty: the default. */
  readonly defaultAddressPool: readonly string[];
  /** Prefix length of a network; 0: the default, 24. */
  readonly subnetSize: number;
  /** Puts what the user asked for over the defaults of a new cluster. Throws SwarmError invalidArgument. */
  clusterSpec(defaults: ClusterSpec): ClusterSpec;
}

export interface JoinSwarmRequest {
  readonly listenAddr: string;
  readonly advertiseAddr: string;
  readonly dataPathAddr: string;
  /** At least one "host:port". */
  readonly remoteAddrs: readonly string[];
  readonly joinToken: string;
  readonly availability: NodeSpec_Availability;
}

/** A container of this node's engine that is to be in an attachable network of the swarm. */
export interface AttachContainerRequest {
  /** Name or id of the network. */
  readonly network: string;
  readonly containerId: string;
  /** Names others find it by. */
  readonly aliases: readonly string[];
  /** IPv4 address asked for; empty for any. */
  readonly address: string;
}

export type DetachContainerRequest = Pick<AttachContainerRequest, 'containerId' | 'network'>;

export interface ContainerAttachment {
  /** Gives the place up again. Done already counts as done. */
  readonly undo: () => Promise<void>;
  /** IPv4 address, without prefix length. */
  readonly address: string;
  /** Name of the network, by which the engine knows it. */
  readonly network: string;
}

/** The node's own membership. All calls throw SwarmError; the API has checked addresses, state and safety before. */
export interface LocalNode {
  info(): LocalNodeInfo;
  system(): SystemInfo;
  /** Resolves with the node id once the manager serves requests. */
  initSwarm(request: InitSwarmRequest): Promise<string>;
  /** Resolves once the node is a member (and, as a manager, serves requests). */
  joinSwarm(request: JoinSwarmRequest): Promise<void>;
  /** Leaves at once; a manager of several is first taken out of the Raft group where possible. */
  leaveSwarm(options: { readonly force: boolean }): Promise<void>;
  /** Unlocks a locked manager. Throws unauthenticated when the key is wrong. */
  unlock(key: Uint8Array): Promise<void>;
  /**
   * Gives a container a place in a network of the swarm until it ends or is detached; resolves once the engine has the
   * network. Throws notFound, permissionDenied when the network is not attachable, failedPrecondition outside a swarm.
   */
  attachContainer(request: AttachContainerRequest): Promise<ContainerAttachment>;
  /**
   * Address at which names of an attachable network of the swarm are answered; undefined when there is no such network.
   * Throws when no manager can be asked.
   */
  findNameServer(network: string): Promise<string | undefined>;
  /** Name servers of this machine that containers can reach. */
  nameServers(): Promise<readonly string[]>;
  /** Done already counts as done. */
  detachContainer(request: DetachContainerRequest): Promise<void>;
}

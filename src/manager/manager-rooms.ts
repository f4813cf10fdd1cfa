/**
 * The rooms of one manager, put together: what runs on every one (store, control, RPC services) and what only the leader
 * runs (the loops). They reach the consensus group through {@link Seat}, which is taken later.
 */
import type { GrpcServer } from '../common/grpc/server.ts';
import { randomBytes } from 'node:crypto';
import { forwardClock } from '../common/clock.ts';
import { newId } from '../common/ids.ts';
import { Turns } from '../common/turns.ts';
import { newJoinToken } from '../identity/join-token.ts';
import { TlsListener } from '../identity/tls-listener.ts';
import { ControlClient } from '../proto/generated/docker/swarmkit/v1/control.ts';
import { UsageClient } from '../proto/generated/docker/swarmkit/v1/usage.ts';
import type { WeightedPeer } from '../proto/generated/docker/swarmkit/v1/types.ts';
import { cfsslAuthorities } from './ca/cfssl-authorities.ts';
import type { Consensus } from './consensus/consensus.ts';
import type { Member } from './consensus/member-list.ts';
import { messageSockets } from './consensus/message-sockets.ts';
import type { ControlService } from './control/control.ts';
import { forwardingControl } from './control/forwarding-control.ts';
import { localControl } from './control/local-control.ts';
import { wasRemoved } from './control/node-removal.ts';
import { Dispatcher } from './dispatcher/dispatcher.ts';
import { LeaderLoops } from './leader-loops.ts';
import { leaderRooms } from './leader-rooms.ts';
import { LogBroker } from './logs/log-broker.ts';
import type { ManagerOptions } from './manager-options.ts';
import { canRemove, groupOf } from './members/group.ts';
import { addRpcServices } from './rpc-services.ts';
import { newGrpcServer } from './rpc/grpc-server.ts';
import { LeaderConnection } from './rpc/leader-connection.ts';
import { ManagerChannels } from './rpc/manager-channels.ts';
import { newRequestId } from './store/request-id.ts';
import { Store } from './store/store.ts';
import { UsageBook } from './usage/usage-book.ts';

/** This manager's seat in the consensus group. */
export interface Seat {
  /** undefined while the manager is starting. */
  ifTaken(): Consensus | undefined;
  /** Throws unavailable while the manager is starting. */
  taken(): Consensus;
  /** Calls `listener` when the leader, the members or their reachability change; returns how to stop that. */
  onChange(listener: () => void): () => void;
}

export interface ManagerRooms {
  readonly store: Store;
  /** Every call people and tools can make, on any manager. */
  readonly control: ControlService;
  readonly dispatcher: Dispatcher;
  readonly logBroker: LogBroker;
  readonly usage: UsageBook;
  readonly loops: LeaderLoops;
  readonly channels: ManagerChannels;
  readonly leader: LeaderConnection;
  readonly grpc: GrpcServer;
  readonly listener: TlsListener;
}

/** All managers have this weight in the lists agents choose from. */
const MANAGER_WEIGHT = 10;

export function managerRooms(options: ManagerOptions, seat: Seat): ManagerRooms {
  const { identity, random, log } = options;
  // What is stored is reckoned by a clock that never goes back; certificates and Raft go by the system's.
  const clock = forwardClock(options.clock);
  const grpc = newGrpcServer();
  const turns = new Turns(() => clock.monotonic());
  const store = new Store({
    clock,
    newRequestId,
    proposer: { propose: (data) => seat.taken().propose(data) },
    pause: () => turns.next(),
  });
  const listener: TlsListener = new TlsListener({
    identity,
    grpc,
    http: messageSockets({
      members: () => seat.taken().members,
      step: (message) => seat.taken().step(message),
      identify: (call) => listener.identify(call),
      log: log.child({ room: 'raft' }),
    }),
    isRemoved: (nodeId) => wasRemoved(store.read, nodeId),
  });
  const channels = new ManagerChannels(identity);
  const external = cfsslAuthorities(() => identity.current);
  const leader = new LeaderConnection(channels, () => seat.ifTaken());
  const readBarrier = (signal?: AbortSignal): Promise<void> => seat.taken().readBarrier(signal);
  const local = localControl({
    store,
    clock,
    newId,
    members: {
      has: (nodeId) => seat.ifTaken()?.members.byNode(nodeId) !== undefined,
      canRemove: (nodeId) => canRemoveNode(seat.taken(), nodeId),
    },
    newJoinToken,
    newUnlockKey: () => randomBytes(32),
    reachAuthorities: (authorities, root) => external.reach(authorities, root),
  });
  const control = forwardingControl({
    local,
    leadership: {
      isLeader: () => leader.isSelf,
      leaderConnection: () => leader.clientIfAny(ControlClient),
      readBarrier,
      onChange: (changed) => seat.onChange(changed),
    },
    clock,
    random,
    newId,
  });
  const usage = new UsageBook({
    store,
    clock,
    leader: () => (leader.isSelf ? undefined : leader.client(UsageClient)),
  });
  const dispatcher = new Dispatcher({
    store,
    clock,
    random,
    newId,
    log: log.child({ room: 'dispatcher' }),
    nodeId: identity.current.nodeId,
    managers: { current: () => weightedPeers(seat.ifTaken()), onChange: (changed) => seat.onChange(changed) },
    usage,
    confirmLeadership: () => readBarrier(),
    leader: () => leader.member,
    ...(options.dispatcherSettings ? { settings: options.dispatcherSettings } : {}),
  });
  const logBroker = new LogBroker({
    store,
    clock,
    newId,
    log: log.child({ room: 'logs' }),
    leader: () => describe(leader.member),
  });
  const loops = new LeaderLoops({
    clock,
    random,
    log,
    create: () =>
      leaderRooms({
        store,
        group: groupOf(seat.taken()),
        clock,
        systemClock: options.clock,
        random,
        external,
        log,
        dispatcher,
        logBroker,
      }),
  });
  addRpcServices(grpc, {
    store,
    clock: options.clock,
    log,
    external,
    identify: listener.identify,
    local,
    control,
    dispatcher,
    logBroker,
    usage,
    channels,
    leader,
    group: () => seat.taken(),
  });
  return { store, control, dispatcher, logBroker, usage, loops, channels, leader, grpc, listener };
}

function canRemoveNode(consensus: Consensus, nodeId: string): boolean {
  const member = consensus.members.byNode(nodeId);
  return !member || canRemove(consensus.voters, member.raftId, (id) => consensus.isReachable(id));
}

const weightedPeers = (consensus: Consensus | undefined): readonly WeightedPeer[] =>
  (consensus?.members.all() ?? []).map(({ nodeId, address }) => ({
    peer: { nodeId, addr: address },
    weight: MANAGER_WEIGHT,
  }));

const describe = (member: Member | undefined): string | undefined => member && `${member.nodeId} at ${member.address}`;

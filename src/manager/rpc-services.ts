/** The RPC services that every manager offers, put together from its rooms. */
import type { GrpcServer } from '../common/grpc/server.ts';
import type { Clock } from '../common/clock.ts';
import { newId } from '../common/ids.ts';
import type { Logger } from '../common/log.ts';
import { drawRandomBytes } from '../common/random-bytes.ts';
import { addService, type RpcServerOptions } from '../common/rpc.ts';
import { x509Pki } from '../identity/pki.ts';
import { CAService, NodeCAClient, NodeCAService } from '../proto/generated/docker/swarmkit/v1/ca.ts';
import { ControlService as ControlDefinition } from '../proto/generated/docker/swarmkit/v1/control.ts';
import { DispatcherService } from '../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { HealthClient, HealthService } from '../proto/generated/docker/swarmkit/v1/health.ts';
import { LogBrokerService, LogsService } from '../proto/generated/docker/swarmkit/v1/logbroker.ts';
import {
  RaftMembershipClient,
  RaftMembershipService,
  RaftService,
} from '../proto/generated/docker/swarmkit/v1/raft.ts';
import { ResourceAllocatorService } from '../proto/generated/docker/swarmkit/v1/resource.ts';
import { UsageService } from '../proto/generated/docker/swarmkit/v1/usage.ts';
import { CertificateAuthority } from './ca/certificate-authority.ts';
import type { ExternalAuthorities } from './ca/external-authority.ts';
import type { Consensus } from './consensus/consensus.ts';
import { raftMethods } from './consensus/raft-service.ts';
import { controlMethods } from './control/control-methods.ts';
import type { ControlService } from './control/control.ts';
import type { Dispatcher } from './dispatcher/dispatcher.ts';
import type { LogBroker } from './logs/log-broker.ts';
import { healthMethods, membershipMethods } from './members/membership-service.ts';
import { networkAttachmentMethods } from './overlay/network-attachments.ts';
import type { LeaderConnection } from './rpc/leader-connection.ts';
import type { ManagerChannels } from './rpc/manager-channels.ts';
import type { Store } from './store/store.ts';
import type { UsageBook } from './usage/usage-book.ts';

export interface RpcRooms {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly external: ExternalAuthorities;
  readonly identify: RpcServerOptions['identify'];
  /** Use cases on this manager's own store; those that change something are the leader's. */
  readonly local: ControlService;
  /** Use cases wherever they can be answered. */
  readonly control: ControlService;
  readonly dispatcher: Dispatcher;
  readonly logBroker: LogBroker;
  readonly usage: UsageBook;
  readonly channels: ManagerChannels;
  readonly leader: LeaderConnection;
  /** Throws unavailable while the manager is starting. */
  readonly group: () => Consensus;
}

export function addRpcServices(server: GrpcServer, rooms: RpcRooms): void {
  const {
    store,
    clock,
    log,
    external,
    identify,
    local,
    control,
    dispatcher,
    logBroker,
    usage,
    channels,
    leader,
    group,
  } = rooms;
  const options: RpcServerOptions = { identify, log: log.child({ room: 'rpc' }) };
  const authority = new CertificateAuthority({
    store,
    clock,
    newId,
    pki: x509Pki,
    leader: () => (leader.isSelf ? undefined : leader.client(NodeCAClient)),
    external,
  });
  addService(server, CAService, authority.caMethods, options);
  addService(server, NodeCAService, authority.nodeCaMethods, options);
  addService(server, DispatcherService, dispatcher.methods, options);
  addService(server, ResourceAllocatorService, networkAttachmentMethods({ store, clock, newId, leader }), options);
  addService(server, LogBrokerService, logBroker.methods, options);
  addService(server, LogsService, logBroker.logsMethods, options);
  addService(server, UsageService, usage.methods, options);
  addService(
    server,
    ControlDefinition,
    controlMethods({ local, reads: control, isLeader: () => leader.isSelf }),
    options,
  );
  addService(
    server,
    HealthService,
    healthMethods(() => true),
    options,
  );
  addService(
    server,
    RaftService,
    raftMethods({
      members: () => group().members,
      step: (message) => group().step(message),
      openSnapshotSink: (message) => group().openSnapshotSink(message),
    }),
    options,
  );
  addService(
    server,
    RaftMembershipService,
    membershipMethods({
      members: () => group().members,
      isLeader: () => leader.isSelf,
      leader: () => leader.client(RaftMembershipClient),
      health: (address) => channels.client(address, HealthClient),
      voters: () => group().voters,
      isReachable: (raftId) => group().isReachable(raftId),
      desiredRole: (nodeId) => store.read.node.get(nodeId)?.spec?.desiredRole,
      admit: (member) => group().admit(member),
      remove: (raftId) => group().remove(raftId),
      expel: (nodeId) => local.removeNode({ nodeId, force: true }),
      randomBytes: drawRandomBytes,
      log: log.child({ room: 'members' }),
    }),
    options,
  );
}

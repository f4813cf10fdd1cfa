import { MessageType, type Message } from 'raft-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { newId } from '../../../../src/common/ids.ts';
import type { GrpcServer } from '../../../../src/common/grpc/server.ts';
import { newGrpcServer } from '../../../../src/manager/rpc/grpc-server.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import {
  createRootCa,
  createSigningRequest,
  signNodeCertificate,
  type KeyPair,
} from '../../../../src/identity/certificate.ts';
import { NodeIdentity } from '../../../../src/identity/node-identity.ts';
import { TlsListener } from '../../../../src/identity/tls-listener.ts';
import { MemberList } from '../../../../src/manager/consensus/member-list.ts';
import { messageSockets } from '../../../../src/manager/consensus/message-sockets.ts';
import { Peer } from '../../../../src/manager/consensus/peer.ts';
import { openRelay, type Relay } from '../../../support/relay.ts';

const within = { timeout: 10_000, interval: 10 };
const clusterId = newId();

describe('the way to another manager', () => {
  let root: KeyPair;
  let identity: NodeIdentity;
  let grpc: GrpcServer;
  let listener: TlsListener;
  let relay: Relay;
  let peer: Peer;
  let received: Message[];
  let lost: number;

  const newPair = async (nodeId: string): Promise<KeyPair> => {
    const { csr, key } = await createSigningRequest();
    const life = { nowMs: Date.now(), lifeMs: 3_600_000 };
    return { certificate: await signNodeCertificate(csr, { nodeId, role: 'manager', clusterId }, root, life), key };
  };
  const newIdentity = async (): Promise<NodeIdentity> =>
    NodeIdentity.inMemory(root.certificate, await newPair(newId()));

  beforeEach(async () => {
    root = await createRootCa(Date.now());
    identity = await newIdentity();
    grpc = newGrpcServer();
    received = [];
    lost = 0;
    const members = new MemberList();
    members.put({ raftId: '1', nodeId: identity.current.nodeId, address: '127.0.0.1:1' });
    const http = messageSockets({
      members: () => members,
      step: (message) => void received.push(message),
      identify: (call) => listener.identify(call),
      log: silentLogger,
    });
    listener = new TlsListener({ identity: await newIdentity(), grpc, http, isRemoved: () => false });
    relay = await openRelay(`127.0.0.1:${await listener.listen('127.0.0.1', 0)}`);
    peer = new Peer({
      raftId: '2',
      address: relay.address,
      identity,
      clock: systemClock,
      random: () => 0.5,
      log: silentLogger,
      events: {
        reachability: () => undefined,
        unreachable: () => lost++,
        disconnected: () => undefined,
        removed: () => undefined,
      },
    });
    await expect.poll(() => peer.activeSince, within).toBeDefined();
  });
  afterEach(async () => {
    peer.close();
    relay.close();
    await listener.close();
  });

  const send = (term: number): void => peer.send({ ...HEARTBEAT, term });
  const terms = (): readonly number[] => received.map((message) => message.term);

  it('loses no message while it goes over to a renewed certificate, however long the handshake takes', async () => {
    send(1);
    relay.hold();
    await identity.replace(await newPair(identity.current.nodeId));
    const since = peer.activeSince;
    for (const term of [2, 3, 4]) send(term);
    await expect.poll(terms, within).toEqual([1, 2, 3, 4]);
    relay.release();
    // Only the new connection is left once the old one is cut.
    await expect.poll(() => relay.connections, within).toBe(1);
    send(5);
    await expect.poll(terms, within).toEqual([1, 2, 3, 4, 5]);
    expect(lost).toBe(0);
    expect(peer.activeSince).toBe(since);
  });

  it('comes back after its connection broke while a renewed certificate waited for its handshake', async () => {
    relay.hold();
    await identity.replace(await newPair(identity.current.nodeId));
    relay.breakAll();
    await expect.poll(() => peer.activeSince, within).toBeUndefined();
    relay.release();
    await expect.poll(() => peer.activeSince, within).toBeDefined();
    send(1);
    await expect.poll(terms, within).toEqual([1]);
  });
});

const HEARTBEAT: Message = {
  type: MessageType.MsgHeartbeat,
  to: '2',
  from: '1',
  term: 1,
  logTerm: 0,
  index: 0,
  entries: [],
  commit: 0,
  vote: '0',
  snapshot: undefined,
  reject: false,
  rejectHint: 0,
  context: new Uint8Array(0),
  responses: [],
};

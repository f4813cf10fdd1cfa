import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  NodeDescription,
  NodeStatus_State as NodeState,
  type TaskState,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aPeer, dispatcherRig, type DispatcherRig } from '../../../support/dispatcher-rig.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeAgent } from '../../../support/fake-agent.ts';
import { openRelay } from '../../../support/relay.ts';

describe('a session', () => {
  let rig: DispatcherRig;
  let endTerm: () => Promise<void>;

  beforeEach(async () => {
    rig = await dispatcherRig({ sessionGraceMs: 150, registrationWindowMs: 60_000 });
    await rig.addNode('n1');
    await rig.addNode('n2');
    endTerm = rig.lead();
  });
  afterEach(() => rig.close());

  it('begins with everything the agent needs, once the node is stored as ready', async () => {
    const agent = rig.agent('n1');
    const first = await agent.register();
    expect(rig.node('n1').status).toMatchObject({ state: NodeState.READY, addr: '127.0.0.1' });
    expect(rig.node('n1').description?.hostname).toBe('n1');
    expect(first.sessionId).not.toBe('');
    expect(first.node?.id).toBe('n1');
    expect(first.managers).toEqual([aPeer('10.0.0.1:2377', 'm1')]);
    expect(first.networkBootstrapKeys[0]?.subsystem).toBe('networking:gossip');
    expect(first.RootCA.toString()).toBe('root');
  });

  it('sends everything again when managers, keys, root or the node change', async () => {
    const agent = rig.agent('n1');
    await agent.register();
    rig.setManagers([aPeer('a:1'), aPeer('b:1')]);
    await eventually(() => expect(agent.sessionMessages.at(-1)?.managers).toHaveLength(2));
    await rig.store.update((tx) => {
      const cluster = tx.cluster.get('cluster') as NonNullable<ReturnType<typeof tx.cluster.get>>;
      tx.cluster.update({ ...cluster, rootCa: cluster.rootCa && { ...cluster.rootCa, caCert: Buffer.from('new') } });
    });
    await eventually(() => expect(agent.sessionMessages.at(-1)?.RootCA.toString()).toBe('new'));
    await rig.store.update((tx) => tx.node.update({ ...rig.node('n1'), role: 1 }));
    await eventually(() => expect(agent.sessionMessages.at(-1)?.node?.role).toBe(1));
    expect(agent.sessionMessages.at(-1)?.managers).toHaveLength(2);
    expect(agent.sessionMessages.at(-1)?.sessionId).toBe(agent.sessionMessages[0]?.sessionId);
  });

  it('does not echo the status and description of the node', async () => {
    const agent = rig.agent('n1');
    await agent.register();
    const count = agent.sessionMessages.length;
    await rig.store.update((tx) =>
      tx.node.update({ ...rig.node('n1'), description: NodeDescription.fromPartial({ hostname: 'x' }) }),
    );
    rig.setManagers([]);
    await eventually(() => expect(agent.sessionMessages.at(-1)?.managers).toHaveLength(0));
    expect(agent.sessionMessages.length).toBe(count + 1);
  });

  it('gets a fresh id at every registration, which ends the one before', async () => {
    const first = rig.agent('n1');
    const { sessionId } = await first.register();
    const second = rig.agent('n1');
    await second.register();
    expect(second.sessionId).not.toBe(sessionId);
    await eventually(() => expect(first.sessionError?.code).toBe('invalidArgument'));
    await expect(first.beat(sessionId)).rejects.toMatchObject({ code: 'invalidArgument' });
    await expect(first.open(sessionId)).rejects.toMatchObject({ code: 'invalidArgument' });
    await second.beat();
  });

  it('goes on under its id when the agent reopens it, taking the new description without the node going down', async () => {
    const agent = rig.agent('n1');
    const { sessionId } = await agent.register();
    agent.closeSession();
    const again = await agent.register(sessionId, NodeDescription.fromPartial({ hostname: 'renamed' }));
    expect(again.sessionId).toBe(sessionId);
    expect(rig.node('n1').description?.hostname).toBe('renamed');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(rig.node('n1').status?.state).toBe(NodeState.READY);
    await agent.beat();
  });

  it('is refused for a node that is not in the store, or was removed', async () => {
    await expect(rig.agent('stranger').register()).rejects.toMatchObject({ code: 'notFound' });
    const agent = rig.agent('n1');
    await agent.register();
    await agent.open();
    await rig.store.update((tx) => tx.node.delete('n1'));
    await eventually(() =>
      expect(agent.sessionError).toMatchObject({ code: 'aborted', message: 'node must disconnect' }),
    );
    await eventually(() => expect(agent.assignmentsError?.code).toBe('aborted'));
    await expect(agent.beat()).rejects.toMatchObject({ code: 'notFound' });
    await expect(agent.register()).rejects.toMatchObject({ code: 'notFound' });
  });

  it('is refused when a node registers too often', async () => {
    const agent = rig.agent('n1');
    for (let i = 0; i < 3; i++) await agent.register();
    await expect(agent.register()).rejects.toMatchObject({ code: 'unavailable' });
    await rig.agent('n2').register();
  });

  it('must exist before anything else is asked', async () => {
    const agent = rig.agent('n1');
    await expect(agent.beat('guess')).rejects.toMatchObject({ code: 'notFound' });
    await expect(agent.open('guess')).rejects.toMatchObject({ code: 'notFound' });
    await expect(agent.report('t', 512 as TaskState)).rejects.toMatchObject({ code: 'notFound' });
  });

  it('ends when the manager stops leading, and calls are refused with the name of the leader', async () => {
    const agent = rig.agent('n1');
    await agent.register();
    await agent.open();
    await endTerm();
    await eventually(() =>
      expect(agent.sessionError).toMatchObject({ code: 'aborted', message: 'node must disconnect' }),
    );
    await eventually(() => expect(agent.assignmentsError?.code).toBe('aborted'));
    const refused = await agent.register().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'notLeader' });
    expect(String(refused)).toContain('10.0.0.1:2377');
    await expect(agent.open()).rejects.toMatchObject({ code: 'notLeader' });
    expect(rig.dispatcher.load).toEqual({ sessions: 0, streams: 0, statusesWaiting: 0 });
  });
});

describe('a manager that does not lead', () => {
  it('tells an agent of all managers, prefers the leader, and sends it away', async () => {
    const rig = await dispatcherRig();
    await rig.addNode('n1');
    rig.setManagers([aPeer('10.0.0.1:2377', 'm1'), aPeer('10.0.0.2:2377', 'm2'), aPeer('10.0.0.3:2377', 'm3')]);
    const agent = rig.agent('n1');
    const message = await agent.register();
    expect(message.managers.map(({ peer, weight }) => [peer?.nodeId, weight])).toEqual([
      ['m1', 10],
      ['m2', 40],
      ['m3', 10],
    ]);
    expect(message.node?.id).toBe('n1');
    // It may be behind, and name a root that has been replaced.
    expect(message.RootCA.toString()).toBe('');
    await eventually(() => expect(agent.sessionError?.message).toContain('m2 at 10.0.0.2:2377'));
    expect(agent.sessionError?.code).toBe('notLeader');
    await expect(agent.open()).rejects.toMatchObject({ code: 'notLeader' });
    await expect(agent.beat()).rejects.toMatchObject({ code: 'notLeader' });
    expect(rig.node('n1').status?.state).toBe(NodeState.UNKNOWN);
    await rig.close();
  });

  it('only refuses strangers and agents that come again and again', async () => {
    const rig = await dispatcherRig();
    await rig.addNode('n1');
    const agent = rig.agent('n1');
    for (let i = 0; i < 2; i++) await agent.register();
    await expect(agent.register()).rejects.toMatchObject({ code: 'notLeader' });
    await expect(rig.agent('stranger').register()).rejects.toMatchObject({ code: 'notLeader' });
    rig.setLeader({ nodeId: 'm3', address: '10.0.0.3:2377' });
    await agent.register();
    await rig.close();
  });
});

describe('a lost agent', () => {
  async function anAgentBehindARelay(rig: DispatcherRig) {
    await rig.addNode('n1');
    rig.lead();
    const relay = await openRelay(rig.rpc.address);
    const agent = new FakeAgent(rig.rpc, 'n1', relay.address);
    await agent.register();
    await agent.open();
    await agent.beat();
    return { agent, relay };
  }

  it('is found soon after its connection broke, and late enough for one that comes back', async () => {
    const rig = await dispatcherRig({ sessionGraceMs: 300 });
    const { agent, relay } = await anAgentBehindARelay(rig);
    relay.breakAll();
    await eventually(() => agent.sessionError !== undefined);
    await agent.register();
    await agent.beat();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(rig.node('n1').status?.state).toBe(NodeState.READY);
    const start = performance.now();
    relay.breakAll();
    await eventually(() => expect(rig.node('n1').status?.state).toBe(NodeState.DOWN));
    expect(performance.now() - start).toBeGreaterThan(290);
    expect(rig.dispatcher.load).toEqual({ sessions: 0, streams: 0, statusesWaiting: 0 });
    relay.close();
    await rig.close();
  });

  it('is found by its silence when the network swallows everything', async () => {
    const rig = await dispatcherRig({ heartbeatPeriodMs: 150 });
    const { relay } = await anAgentBehindARelay(rig);
    relay.swallow();
    await eventually(() => expect(rig.node('n1').status?.state).toBe(NodeState.DOWN));
    expect(rig.node('n1').status?.message).toBe('heartbeat failure');
    expect(rig.dispatcher.load).toEqual({ sessions: 0, streams: 0, statusesWaiting: 0 });
    relay.close();
    await rig.close();
  });
});

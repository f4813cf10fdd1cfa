import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '../../../../src/common/clock.ts';
import { SwarmError } from '../../../../src/common/errors.ts';
import { countingIds } from '../../../../src/common/ids.ts';
import { unary } from '../../../../src/common/rpc-client.ts';
import { controlMethods } from '../../../../src/manager/control/control-methods.ts';
import type { ControlService } from '../../../../src/manager/control/control.ts';
import { forwardingControl } from '../../../../src/manager/control/forwarding-control.ts';
import type { Leadership } from '../../../../src/manager/control/leadership.ts';
import { NO_LEADER_TEXT } from '../../../../src/common/no-leader.ts';
import {
  ControlClient,
  ControlService as ControlDefinition,
} from '../../../../src/proto/generated/docker/swarmkit/v1/control.ts';
import { aConfigSpec, aServiceSpec, testControl, type TestControl } from '../../../support/local-control.ts';
import { callAs, rpcRig, type RpcRig } from '../../../support/rpc-rig.ts';

const noLeader: Leadership = {
  isLeader: () => false,
  leaderConnection: () => undefined,
  readBarrier: () => Promise.reject(new SwarmError('unavailable', 'no leader')),
  onChange: () => () => undefined,
};

const forwarding = (test: TestControl, leadership: Partial<Leadership>, clock = test.clock): ControlService =>
  forwardingControl({
    local: test.control,
    leadership: { ...noLeader, ...leadership },
    clock,
    random: () => 0.5,
    newId: countingIds('chosen'),
  });

describe('forwarding', () => {
  it('changes the local store when this manager leads', async () => {
    const test = await testControl();
    const control = forwarding(test, { isLeader: () => true, readBarrier: async () => undefined });
    await control.createConfig({ id: '', spec: aConfigSpec('c') });
    expect((await control.listConfigs({ filters: undefined })).configs).toHaveLength(1);
  });

  it('waits out an election and then makes the change once', async () => {
    const test = await testControl();
    let isLeader = false;
    const created = forwarding(test, { isLeader: () => isLeader }).createConfig({ id: '', spec: aConfigSpec('c') });
    await test.clock.advance(1_000);
    expect(test.store.read.config.size).toBe(0);
    isLeader = true;
    await test.clock.advance(300);
    expect((await created).config?.id).toBe('chosen1');
  });

  it('gives up with the text clients know once there has been no leader for long', async () => {
    const test = await testControl();
    const control = forwarding(test, {});
    const outcome = control.createConfig({ id: '', spec: aConfigSpec('c') }).catch((error: unknown) => error);
    await test.clock.advance(11_000);
    expect(await outcome).toMatchObject({ code: 'unavailable', message: NO_LEADER_TEXT });
    await expect(control.listConfigs({ filters: undefined })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('gives up when its caller does', async () => {
    const test = await testControl();
    const abort = new AbortController();
    const call = forwarding(test, {}).createConfig({ id: '', spec: aConfigSpec('c') }, { signal: abort.signal });
    abort.abort(new SwarmError('cancelled', 'enough'));
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('asks for a read barrier again when one gets no answer', async () => {
    const test = await testControl();
    let asked = 0;
    const control = forwarding(test, {
      readBarrier: () => (++asked === 1 ? new Promise(() => undefined) : Promise.resolve()),
    });
    const list = control.listNodes({ filters: undefined });
    await test.clock.advance(2_000);
    expect((await list).nodes).toEqual([]);
    expect(asked).toBe(2);
  });

  it('does not wait for errors that an election cannot cure', async () => {
    const test = await testControl();
    const control = forwarding(test, { isLeader: () => true });
    await expect(control.createService({ id: '', spec: aServiceSpec('a.b') })).rejects.toMatchObject({
      code: 'invalidArgument',
    });
  });

  it('repeats a create whose answer was lost without making a second object', async () => {
    const test = await testControl();
    let calls = 0;
    const local: ControlService = {
      ...test.control,
      createConfig: async (request) => {
        const response = await test.control.createConfig(request);
        if (++calls === 1) throw new SwarmError('unavailable', 'lost leadership');
        return response;
      },
    };
    const control = forwarding({ ...test, control: local }, { isLeader: () => true });
    const created = control.createConfig({ id: '', spec: aConfigSpec('c') });
    await test.clock.advance(500);
    expect((await created).config?.id).toBe('chosen1');
    expect(test.store.read.config.size).toBe(1);
  });

  it('takes "not found" for success when an earlier try may have removed the object', async () => {
    const test = await testControl();
    const { config } = await test.control.createConfig({ id: '', spec: aConfigSpec('c') });
    let calls = 0;
    const local: ControlService = {
      ...test.control,
      removeConfig: async (request) => {
        const response = await test.control.removeConfig(request);
        if (++calls === 1) throw new SwarmError('unavailable', 'lost leadership');
        return response;
      },
    };
    const control = forwarding({ ...test, control: local }, { isLeader: () => true });
    const removed = control.removeConfig({ configId: config?.id ?? '' });
    await test.clock.advance(500);
    await expect(removed).resolves.toEqual({});
  });

  it('does not mistake its own earlier update for somebody else’s', async () => {
    const test = await testControl();
    const { service } = await test.control.createService({ id: '', spec: aServiceSpec() });
    let calls = 0;
    const local: ControlService = {
      ...test.control,
      updateService: async (request) => {
        const response = await test.control.updateService(request);
        if (++calls === 1) throw new SwarmError('unavailable', 'it may or may not have been made');
        return response;
      },
    };
    const control = forwarding({ ...test, control: local }, { isLeader: () => true });
    const outcome = control
      .updateService({
        serviceId: service?.id ?? '',
        serviceVersion: service?.meta?.version,
        spec: aServiceSpec(),
        rollback: 0,
      })
      .catch((error: unknown) => error);
    await test.clock.advance(500);
    expect(await outcome).toMatchObject({ code: 'unavailable', message: 'it may or may not have been made' });
  });
});

describe('between managers', () => {
  let rig: RpcRig | undefined;
  afterEach(() => rig?.close());

  /** A leader behind a real connection, and a follower that knows it. */
  async function leaderAndFollower(): Promise<{
    readonly leader: TestControl;
    readonly follower: ControlService;
    readonly state: { isLeader: boolean };
  }> {
    const leader = await testControl({ clock: new FakeClock() });
    const state = { isLeader: true };
    rig = await rpcRig();
    const methods = controlMethods({ local: leader.control, reads: leader.control, isLeader: () => state.isLeader });
    // Node certificates are the listener's business; here everybody is let in.
    const open = Object.fromEntries(Object.entries(methods).map(([name, m]) => [name, { ...m, access: 'anyone' }]));
    rig.add(ControlDefinition, open as typeof methods);
    const client = rig.client(ControlClient);
    const follower = forwarding(await testControl(), { leaderConnection: () => client }, systemClock as FakeClock);
    return { leader, follower, state };
  }

  it('carries a change to the leader and its refusals back unchanged', async () => {
    const { leader, follower } = await leaderAndFollower();
    const { config } = await follower.createConfig({ id: '', spec: aConfigSpec('c') });
    expect(leader.store.read.config.get(config?.id ?? '')).toBeDefined();
    await expect(follower.createConfig({ id: '', spec: aConfigSpec('c') })).rejects.toMatchObject({
      code: 'alreadyExists',
      message: 'config c already exists',
    });
    await expect(
      follower.updateConfig({ configId: config?.id ?? '', configVersion: { index: 1 }, spec: aConfigSpec('c') }),
    ).rejects.toMatchObject({ code: 'outOfSequence' });
  });

  /** A leader that never answers, and a promise of when it is asked. */
  async function silentLeader() {
    rig = await rpcRig();
    const { control } = await testControl();
    let isAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const createConfig = (): Promise<never> => {
      isAsked();
      return new Promise(() => undefined);
    };
    const local = { ...control, createConfig };
    const methods = controlMethods({ local, reads: local, isLeader: () => true });
    const open = Object.fromEntries(Object.entries(methods).map(([name, m]) => [name, { ...m, access: 'anyone' }]));
    rig.add(ControlDefinition, open as typeof methods);
    return { client: rig.client(ControlClient), asked, end: () => rig?.close() };
  }

  it('does not take a leader that ends in the middle of a call for a caller that gave up', async () => {
    const { client, asked, end } = await silentLeader();
    const test = await testControl();
    let isLeader = false;
    const leadership = { isLeader: () => isLeader, leaderConnection: () => (isLeader ? undefined : client) };
    const created = forwarding(test, leadership, systemClock as FakeClock).createConfig({
      id: '',
      spec: aConfigSpec('c'),
    });
    await asked;
    isLeader = true;
    end();
    expect((await created).config?.id).toBe('chosen1');
  });

  it('says of a change that was given up while the leader worked on it that it may have been made', async () => {
    const { client, asked } = await silentLeader();
    const leadership = { leaderConnection: () => client };
    const abort = new AbortController();
    const created = forwarding(await testControl(), leadership, systemClock as FakeClock)
      .createConfig({ id: '', spec: aConfigSpec('c') }, { signal: abort.signal })
      .catch((error: unknown) => error);
    await asked;
    abort.abort();
    expect(await created).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('may or may not have been made') as string,
    });
  });

  it('turns to the new leader when the old one falls silent', async () => {
    const silent = await rpcRig();
    const methods = controlMethods({
      local: { ...(await testControl()).control, createConfig: () => new Promise(() => undefined) },
      reads: (await testControl()).control,
      isLeader: () => true,
    });
    const open = Object.fromEntries(Object.entries(methods).map(([name, m]) => [name, { ...m, access: 'anyone' }]));
    silent.add(ControlDefinition, open as typeof methods);
    const client = silent.client(ControlClient);
    const test = await testControl();
    const listeners = new Set<() => void>();
    let isLeader = false;
    const control = forwarding(
      test,
      {
        isLeader: () => isLeader,
        leaderConnection: () => (isLeader ? undefined : client),
        onChange: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
      },
      systemClock as FakeClock,
    );
    const created = control.createConfig({ id: '', spec: aConfigSpec('c') });
    await new Promise((resolve) => setTimeout(resolve, 50));
    isLeader = true;
    listeners.forEach((listener) => listener());
    expect((await created).config?.id).toBe('chosen1');
    expect(listeners.size).toBe(0);
    silent.close();
  });

  it('is for managers only', async () => {
    const test = await testControl();
    rig = await rpcRig();
    rig.add(ControlDefinition, controlMethods({ local: test.control, reads: test.control, isLeader: () => true }));
    const client = rig.client(ControlClient);
    const create = (role: 'manager' | 'worker' | 'anonymous'): Promise<unknown> =>
      unary(
        client.createConfig.bind(client),
        { id: '', spec: aConfigSpec('c') },
        {
          timeoutMs: 5_000,
          metadata: callAs('n', role),
        },
      );
    await expect(create('worker')).rejects.toMatchObject({ code: 'permissionDenied' });
    await expect(create('anonymous')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(create('manager')).resolves.toBeDefined();
  });

  it('tries again when the manager it asked no longer leads', async () => {
    const { leader, follower, state } = await leaderAndFollower();
    state.isLeader = false;
    const created = follower.createConfig({ id: '', spec: aConfigSpec('c') });
    setTimeout(() => (state.isLeader = true), 50);
    await created;
    expect(leader.store.read.config.size).toBe(1);
  });
});

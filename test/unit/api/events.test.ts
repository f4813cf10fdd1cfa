import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { Filters } from '../../../src/api/filters.ts';
import { EventBus } from '../../../src/api/streams/event-bus.ts';
import { matchesEvent } from '../../../src/api/streams/event-filter.ts';
import { eventLines, parseEventRequest } from '../../../src/api/streams/events-stream.ts';
import { eventOf, eventToDocker, type ClusterEvent } from '../../../src/api/streams/event.ts';
import { stringify } from '../../../src/api/json/stringify.ts';
import { Network, Node, Service } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { ServiceSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { UpdateStatus } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../support/local-store.ts';
import type { Swarm } from '../../../src/api/ports.ts';

const service = (given: Partial<Service>): Service => ({
  ...Service.fromPartial({
    id: 'svc1',
    meta: { createdAt: { seconds: 1700000000, nanos: 5 }, updatedAt: { seconds: 1795218108, nanos: 821427200 } },
  }),
  ...given,
});

const replicated = (replicas: number, image = 'a'): ServiceSpec => ({
  ...ServiceSpec.fromPartial({
    annotations: { name: 'web', labels: { team: 'x' } },
    task: { runtime: { $case: 'container', value: { image } } },
  }),
  mode: { $case: 'replicated', value: { replicas } },
});

const updating = (state: UpdateStatus['state']): Partial<Service> => ({
  updateStatus: UpdateStatus.fromPartial({ state }),
});

describe('events of changes', () => {
  it('carry exact times and no fields of containers', () => {
    const event = eventOf({ action: 'create', kind: 'service', object: service({ spec: replicated(1) }) }, 0);
    expect(stringify(eventToDocker(event as ClusterEvent))).toBe(
      '{"Type":"service","Action":"create","Actor":{"ID":"svc1","Attributes":{"name":"web"}},"scope":"swarm","time":1700000000,"timeNano":1700000000000000005}',
    );
  });

  it.each([
    [replicated(1), replicated(2), {}, {}, { 'replicas.old': '1', 'replicas.new': '2' }],
    [replicated(1), replicated(1, 'b'), {}, {}, { 'image.old': 'a', 'image.new': 'b' }],
    [replicated(1), replicated(1), {}, updating(1), { 'updatestate.new': 'updating' }],
    [
      replicated(2),
      replicated(1),
      updating(1),
      updating(4),
      {
        'replicas.old': '2',
        'replicas.new': '1',
        'updatestate.old': 'updating',
        'updatestate.new': 'rollback_started',
      },
    ],
  ])('tell what an update of a service changed', (before, after, oldMore, more, attributes) => {
    const event = eventOf(
      {
        action: 'update',
        kind: 'service',
        object: service({ spec: after, ...more }),
        old: service({ spec: before, ...oldMore }),
      },
      0,
    );
    expect(event?.attributes).toEqual({ name: 'web', ...attributes });
    expect(event?.timeNanos).toBe(1795218108821427200n);
  });

  it('are silent about what only the machinery sees', () => {
    const old = service({ spec: replicated(1) });
    const object = service({ spec: replicated(1), jobStatus: {} });
    expect(eventOf({ action: 'update', kind: 'service', object, old }, 0)).toBeUndefined();
    const node = Node.fromPartial({ id: 'n', description: { hostname: 'h' }, spec: {}, status: { state: 2 } });
    expect(
      eventOf({ action: 'update', kind: 'node', object: { ...node, certificate: undefined }, old: node }, 0),
    ).toBeUndefined();
    const network = Network.fromPartial({ id: 'n', spec: { annotations: { name: 'net' } } });
    expect(
      eventOf({ action: 'update', kind: 'network', object: { ...network, pendingDelete: true }, old: network }, 0),
    ).toBeUndefined();
  });

  it('tell state, role and leadership of nodes', () => {
    const old = Node.fromPartial({
      id: 'n',
      description: { hostname: 'h' },
      spec: { availability: 0 },
      status: { state: 2 },
      managerStatus: { leader: false, reachability: 2 },
    });
    const object = Node.fromPartial({
      id: 'n',
      description: { hostname: 'h' },
      spec: { availability: 2 },
      status: { state: 1 },
      role: 1,
      managerStatus: { leader: true, reachability: 1 },
    });
    expect(eventOf({ action: 'update', kind: 'node', object, old }, 0)?.attributes).toEqual({
      name: 'h',
      'availability.old': 'active',
      'availability.new': 'drain',
      'role.old': 'worker',
      'role.new': 'manager',
      'state.old': 'ready',
      'state.new': 'down',
      'leader.old': 'false',
      'leader.new': 'true',
      'reachability.old': 'reachable',
      'reachability.new': 'unreachable',
    });
  });
});

describe('filters of events', () => {
  const event: ClusterEvent = {
    type: 'service',
    action: 'update',
    id: 'abcdef',
    attributes: { name: 'web' },
    labels: { team: 'x' },
    timeNanos: 1n,
  };
  it.each([
    [{ type: ['service'] }, true],
    [{ type: ['node'] }, false],
    [{ event: ['create', 'update'] }, true],
    [{ scope: ['local'] }, false],
    [{ service: ['web'] }, true],
    [{ service: ['abc'] }, true],
    [{ service: ['we'] }, false],
    [{ node: ['web'] }, false],
    [{ label: ['team=x'] }, true],
    [{ label: ['team=y'] }, false],
    [{ container: ['web'] }, false],
  ])('%j', (filters, matches) => {
    expect(matchesEvent(new Filters(new Map(Object.entries(filters))), event)).toBe(matches);
  });
});

describe('a stream of events', () => {
  const clock = new FakeClock();
  const local = localStore(clock);
  const bus = new EventBus({
    swarm: { current: () => ({ store: local.store }) as unknown as Swarm, subscribe: () => () => undefined },
    clock,
    log: silentLogger,
  });
  beforeAll(() => bus.start());
  afterAll(() => bus.stop());

  const put = async (id: string): Promise<void> => {
    await local.store.update((tx) =>
      tx.service.create(Service.fromPartial({ id, spec: { annotations: { name: id } } })),
    );
    await new Promise((resolve) => setImmediate(resolve));
  };
  const read = async (query: Record<string, string>, signal = new AbortController().signal): Promise<string[]> => {
    const names: string[] = [];
    for await (const line of eventLines(bus, parseEventRequest(query), clock, signal)) {
      names.push((JSON.parse(line) as { Actor: { ID: string } }).Actor.ID);
    }
    return names;
  };
  const now = (): number => clock.now() / 1000;

  it('gives what was and ends when its end has passed', async () => {
    await put('a1');
    await clock.advance(10_000);
    await put('a2');
    await clock.advance(10_000);
    expect(await read({ since: '0', until: String(now()) })).toEqual(['a1', 'a2']);
    expect(await read({ since: String(now() - 15), until: String(now()) })).toEqual(['a2']);
    expect(await read({ since: '0', until: String(now() - 15) })).toEqual(['a1']);
    expect(await read({ until: String(now()) })).toEqual(['a1', 'a2']);
  });

  it('gives what comes and ends with its client', async () => {
    const client = new AbortController();
    const reading = read({}, client.signal);
    await put('b1');
    await put('b2');
    client.abort();
    expect(await reading).toEqual(['b1', 'b2']);
  });

  it('ends at its end', async () => {
    const reading = read({ until: String(now() + 5) });
    await put('c1');
    await clock.advance(5_000);
    expect((await reading).slice(-2)).toEqual(['b2', 'c1']);
    expect(clock.pending).toBe(0);
  });

  it('remembers a bounded number of events', async () => {
    for (let i = 0; i < 600; i++) await put(`many${i}`);
    expect(bus.kept.length).toBeGreaterThanOrEqual(256);
    expect(bus.kept.length).toBeLessThanOrEqual(512);
    expect(bus.kept.at(-1)?.id).toBe('many599');
  });
});

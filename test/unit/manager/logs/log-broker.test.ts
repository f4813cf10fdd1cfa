import type { ClientReadableStream, ClientWritableStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import type { SwarmError } from '../../../../src/common/errors.ts';
import { countingIds } from '../../../../src/common/ids.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { rpcError } from '../../../../src/common/rpc-client.ts';
import { LogBroker } from '../../../../src/manager/logs/log-broker.ts';
import type { Store } from '../../../../src/manager/store/store.ts';
import {
  LogBrokerClient,
  LogBrokerService,
  LogMessage,
  LogSelector,
  LogStream,
  LogSubscriptionOptions,
  LogsClient,
  LogsService,
  type PublishLogsMessage,
  type SubscribeLogsMessage,
  type SubscriptionMessage,
} from '../../../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { Node, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeStatus_State as NodeState, TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { eventually } from '../../../support/eventually.ts';
import { localStore } from '../../../support/local-store.ts';
import { callAs, rpcRig, type RpcRig } from '../../../support/rpc-rig.ts';

/** 0 asks for all lines, −n−1 for the last n. */
const encodeTail = (lines: number | undefined): number => (lines === undefined ? 0 : -lines - 1);

let rpc: RpcRig;
let store: Store;
let broker: LogBroker;
let endTerm: () => Promise<void>;

beforeEach(async () => {
  store = localStore(systemClock).store;
  rpc = await rpcRig();
  broker = new LogBroker({
    store,
    clock: systemClock,
    newId: countingIds('sub'),
    log: silentLogger,
    leader: () => 'm2 at 10.0.0.2:2377',
    settings: { lineLimitBytes: 20_000, batchBytes: 10_000, listenerGraceMs: 100 },
  });
  rpc.add(LogBrokerService, broker.methods);
  rpc.add(LogsService, broker.logsMethods);
  const stop = new AbortController();
  const running = broker.run(stop.signal);
  endTerm = async () => {
    stop.abort();
    await running;
  };
  await store.update((tx) => {
    tx.node.create(aNode('n1', NodeState.READY));
    tx.node.create(aNode('n2', NodeState.READY));
    tx.node.create(aNode('down', NodeState.DOWN));
  });
});
afterEach(async () => {
  await endTerm();
  rpc.close();
});

const aNode = (id: string, state: NodeState): Node => Node.fromPartial({ id, status: { state } });
const aTask = (id: string, serviceId: string, nodeId: string, state: TaskState = TaskState.RUNNING): Task =>
  Task.fromPartial({ id, serviceId, nodeId, status: { state }, desiredState: TaskState.RUNNING });
const addTasks = (...tasks: readonly Task[]): Promise<void> =>
  store.update((tx) => tasks.forEach((task) => tx.task.create(task)));

/** An agent's end: listens, and sends what the test says. */
class Source {
  readonly nodeId: string;
  readonly told: SubscriptionMessage[] = [];
  error: SwarmError | undefined;
  readonly #client = rpc.client(LogBrokerClient);
  readonly #listening: ClientReadableStream<SubscriptionMessage>;

  constructor(nodeId: string) {
    this.nodeId = nodeId;
    this.#listening = this.#client.listenSubscriptions({}, callAs(nodeId));
    this.#listening.on('data', (message: SubscriptionMessage) => this.told.push(message));
    this.#listening.on('error', (error) => (this.error = rpcError(error)));
  }

  publish(): Publisher {
    return new Publisher(this.#client, this.nodeId);
  }

  leave(): void {
    this.#listening.cancel();
  }
}

class Publisher {
  error: SwarmError | undefined;
  isAnswered = false;
  readonly nodeId: string;
  readonly stream: ClientWritableStream<PublishLogsMessage>;

  constructor(client: LogBrokerClient, nodeId: string) {
    this.nodeId = nodeId;
    this.stream = client.publishLogs(callAs(nodeId), (error) => {
      if (error) this.error = rpcError(error);
      else this.isAnswered = true;
    });
    this.stream.on('error', () => undefined);
  }

  send(subscriptionId: string, taskId: string, text: string, nodeId = this.nodeId): boolean {
    const line = LogMessage.fromPartial({
      context: { serviceId: 'web', nodeId, taskId },
      stream: LogStream.STDOUT,
      timestamp: { seconds: 100, nanos: 5 },
      data: Buffer.from(text),
    });
    return this.stream.write({ subscriptionId, messages: [line], close: false });
  }

  finish(subscriptionId: string): void {
    this.stream.write({ subscriptionId, messages: [], close: true });
    this.stream.end();
  }
}

/** A client that reads logs. */
class Viewer {
  readonly lines: string[] = [];
  error: SwarmError | undefined;
  hasEnded = false;
  readonly stream: ClientReadableStream<SubscribeLogsMessage>;

  constructor(selector: Partial<LogSelector>, options: Partial<LogSubscriptionOptions> = {}, node = 'm2') {
    const request = {
      selector: LogSelector.fromPartial(selector as object),
      options: LogSubscriptionOptions.fromPartial(options as object),
    };
    this.stream = rpc.client(LogsClient).subscribeLogs(request, callAs(node, node === 'm2' ? 'manager' : 'worker'));
    this.stream.on('data', ({ messages }: SubscribeLogsMessage) =>
      this.lines.push(...messages.map((m) => `${m.context?.taskId} ${m.data.toString()}`)),
    );
    this.stream.on('error', (error) => (this.error = rpcError(error)));
    this.stream.on('end', () => (this.hasEnded = true));
  }
}

const listening = async (...nodeIds: readonly string[]): Promise<readonly Source[]> => {
  const sources = nodeIds.map((nodeId) => new Source(nodeId));
  await eventually(() => expect(broker.load.listeners).toBeGreaterThanOrEqual(nodeIds.length));
  return sources;
};

describe('logs of a service', () => {
  it('come from every node that runs it and end when all have finished', async () => {
    const [one, two] = (await listening('n1', 'n2')) as [Source, Source];
    await addTasks(aTask('a', 'web', 'n1'), aTask('b', 'web', 'n2'), aTask('x', 'db', 'n2'));
    const viewer = new Viewer(
      { serviceIds: ['web'] },
      { tail: encodeTail(10), since: { seconds: 7, nanos: 0 }, streams: [LogStream.STDERR] },
    );
    await eventually(() => one.told.length + two.told.length === 2);
    const [message] = one.told;
    expect(message?.selector?.serviceIds).toEqual(['web']);
    expect(message?.options).toMatchObject({ tail: -11, since: { seconds: 7 }, streams: [2], follow: false });
    const id = message?.id ?? '';
    const first = one.publish();
    first.send(id, 'a', 'hello');
    first.finish(id);
    await eventually(() => expect(viewer.lines).toEqual(['a hello']));
    await eventually(() => first.isAnswered);
    expect(viewer.hasEnded).toBe(false);
    two.publish().finish(id);
    await eventually(() => viewer.hasEnded);
    expect(viewer.error).toBeUndefined();
    await eventually(() => expect(broker.load).toEqual({ listeners: 2, subscriptions: 0 }));
    await eventually(() => expect(one.told.at(-1)).toMatchObject({ id, close: true }));
  });

  it('end with the reasons when something could not be had', async () => {
    const [one] = (await listening('n1', 'n2')) as [Source, Source];
    await addTasks(
      aTask('a', 'web', 'n1'),
      aTask('b', 'web', 'down'),
      aTask('c', 'web', '', TaskState.PENDING),
      aTask('d', 'web', 'gone'),
    );
    const viewer = new Viewer({ serviceIds: ['web'], taskIds: ['c'] });
    await eventually(() => one.told.length === 1);
    const publisher = one.publish();
    publisher.send(one.told[0]?.id ?? '', 'a', 'last words');
    await eventually(() => viewer.lines.length === 1);
    publisher.stream.cancel();
    await eventually(() => expect(viewer.error).toBeDefined());
    expect(viewer.error?.code).toBe('unknown');
    expect(viewer.error?.message).toBe(
      'warning: incomplete log stream. some logs could not be retrieved for the following reasons: ' +
        'task c has not been scheduled, node down is not available, node gone is not available, node n1 disconnected unexpectedly',
    );
  });

  it('do not miss the tasks of a service that wait for a node', async () => {
    const [one] = (await listening('n1')) as [Source];
    await addTasks(aTask('a', 'web', 'n1'), aTask('b', 'web', '', TaskState.PENDING));
    const viewer = new Viewer({ serviceIds: ['web'] });
    await eventually(() => one.told.length === 1);
    one.publish().finish(one.told[0]?.id ?? '');
    await eventually(() => viewer.hasEnded);
    expect(viewer.error).toBeUndefined();
  });

  it('wait a little for a node that is about to listen again, but not longer', async () => {
    await addTasks(aTask('a', 'web', 'n1'), aTask('b', 'web', 'n2'));
    const viewer = new Viewer({ serviceIds: ['web'] });
    await eventually(() => expect(broker.load.subscriptions).toBe(1));
    const [one] = (await listening('n1')) as [Source];
    await eventually(() => one.told.length === 1);
    one.publish().finish(one.told[0]?.id ?? '');
    await eventually(() => expect(viewer.error?.message).toContain('reasons: node n2 is not available'));
  });

  it('of a service without tasks are nothing, at once', async () => {
    const viewer = new Viewer({ serviceIds: ['nothing'] });
    await eventually(() => viewer.hasEnded);
    expect(viewer.error).toBeUndefined();
  });

  it('can be had by task and by node', async () => {
    const [one, two] = (await listening('n1', 'n2')) as [Source, Source];
    await addTasks(aTask('a', 'web', 'n1'), aTask('b', 'web', 'n2'));
    new Viewer({ taskIds: ['b'] });
    await eventually(() => two.told.length === 1);
    new Viewer({ nodeIds: ['n1'] });
    await eventually(() => one.told.length === 1);
    expect(two.told).toHaveLength(1);
    expect(one.told[0]?.selector?.nodeIds).toEqual(['n1']);
  });
});

describe('following logs', () => {
  it('takes up nodes as tasks appear on them and never ends by itself', async () => {
    const [one, two] = (await listening('n1', 'n2')) as [Source, Source];
    await addTasks(aTask('a', 'web', 'n1'));
    const viewer = new Viewer({ serviceIds: ['web'] }, { follow: true });
    await eventually(() => one.told.length === 1);
    const id = one.told[0]?.id ?? '';
    one.publish().send(id, 'a', 'first');
    await addTasks(aTask('other', 'db', 'n2'));
    await addTasks(aTask('b', 'web', 'n2'));
    await eventually(() => two.told.length === 1);
    two.publish().send(id, 'b', 'second');
    await eventually(() => expect(viewer.lines).toEqual(['a first', 'b second']));
    two.leave();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(viewer.hasEnded).toBe(false);
    expect(viewer.error).toBeUndefined();
  });

  it('goes on where it stopped when a node comes back', async () => {
    const [one] = (await listening('n1')) as [Source];
    await addTasks(aTask('a', 'web', 'n1'));
    const viewer = new Viewer({ serviceIds: ['web'] }, { follow: true, tail: encodeTail(100) });
    await eventually(() => one.told.length === 1);
    one.publish().send(one.told[0]?.id ?? '', 'a', 'line');
    await eventually(() => viewer.lines.length === 1);
    one.leave();
    await eventually(() => expect(broker.load.listeners).toBe(0));
    const [again] = (await listening('n1')) as [Source];
    await eventually(() => again.told.length === 1);
    expect(again.told[0]).toMatchObject({
      id: one.told[0]?.id,
      options: { tail: 0, since: { seconds: 100, nanos: 5 } },
    });
  });

  it('leaves nothing behind when clients and agents leave', async () => {
    const [one] = (await listening('n1', 'n2')) as [Source, Source];
    await addTasks(aTask('a', 'web', 'n1'));
    const viewers = Array.from({ length: 5 }, () => new Viewer({ serviceIds: ['web'] }, { follow: true }));
    await eventually(() => one.told.length === 5);
    const publisher = one.publish();
    publisher.send(one.told[0]?.id ?? '', 'a', 'line');
    for (const viewer of viewers) viewer.stream.cancel();
    await eventually(() => expect(broker.load.subscriptions).toBe(0));
    await eventually(() => expect(one.told.filter((message) => message.close)).toHaveLength(5));
    publisher.send(one.told[0]?.id ?? '', 'a', 'too late');
    await eventually(() => expect(publisher.error?.code).toBe('notFound'));
    one.leave();
    await eventually(() => expect(broker.load).toEqual({ listeners: 1, subscriptions: 0 }));
  });
});

describe('the log broker', () => {
  it('slows the agents down when a client reads slowly, and loses nothing', async () => {
    const [one] = (await listening('n1')) as [Source];
    await addTasks(aTask('a', 'web', 'n1'));
    const viewer = new Viewer({ serviceIds: ['web'] });
    viewer.stream.pause();
    await eventually(() => one.told.length === 1);
    const id = one.told[0]?.id ?? '';
    const publisher = one.publish();
    const text = 'x'.repeat(5_000);
    const total = 1_000;
    let sent = 0;
    const pump = (): void => {
      while (sent < total && publisher.send(id, 'a', text)) sent++;
      if (sent < total) publisher.stream.once('drain', () => (sent++, pump()));
      else publisher.finish(id);
    };
    pump();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(sent).toBeLessThan(total / 2);
    viewer.stream.resume();
    await eventually(() => viewer.hasEnded);
    expect(viewer.lines.length).toBeGreaterThanOrEqual(total);
  });

  it('refuses lines of other nodes and subscriptions a node is not asked for', async () => {
    const [one, two] = (await listening('n1', 'n2')) as [Source, Source];
    await addTasks(aTask('a', 'web', 'n1'), aTask('b', 'web', 'n2'), aTask('c', 'db', 'n2'));
    new Viewer({ taskIds: ['a'] });
    await eventually(() => one.told.length === 1);
    const id = one.told[0]?.id ?? '';
    const stranger = two.publish();
    stranger.send(id, 'b', 'forged');
    await eventually(() => expect(stranger.error?.code).toBe('notFound'));
    const liar = one.publish();
    liar.send(id, 'b', 'forged');
    await eventually(() => expect(liar.error?.code).toBe('permissionDenied'));
    new Viewer({ serviceIds: ['web'] });
    const other = await eventually(() => one.told.find((message) => message.id !== id) ?? false);
    const impostor = one.publish();
    impostor.send(other.id, 'a', 'forged', 'n2');
    await eventually(() => expect(impostor.error?.code).toBe('permissionDenied'));
  });

  it('refuses empty selectors, positive tails and workers that want to read', async () => {
    const empty = new Viewer({});
    await eventually(() => expect(empty.error?.code).toBe('invalidArgument'));
    const positive = new Viewer({ serviceIds: ['web'] }, { tail: 5 });
    await eventually(() => expect(positive.error?.code).toBe('invalidArgument'));
    const worker = new Viewer({ serviceIds: ['web'] }, {}, 'n1');
    await eventually(() => expect(worker.error?.code).toBe('permissionDenied'));
  });

  it('ends everything when the manager stops leading, and then names the leader', async () => {
    const [one] = (await listening('n1')) as [Source];
    await addTasks(aTask('a', 'web', 'n1'));
    const viewer = new Viewer({ serviceIds: ['web'] }, { follow: true });
    await eventually(() => one.told.length === 1);
    await endTerm();
    await eventually(() => expect(viewer.error?.code).toBe('unavailable'));
    await eventually(() => expect(one.error?.code).toBe('unavailable'));
    const late = new Viewer({ serviceIds: ['web'] });
    await eventually(() => expect(late.error?.message).toContain('10.0.0.2:2377'));
    expect(broker.load).toEqual({ listeners: 0, subscriptions: 0 });
  });
});

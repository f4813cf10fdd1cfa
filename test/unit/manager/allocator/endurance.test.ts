/** A hundred thousand random operations with changes of leader: nothing is held twice, and nothing is lost. */
import { afterEach, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/common/log.ts';
import { seededRandom } from '../../../../src/common/random.ts';
import { Allocator } from '../../../../src/manager/allocator/allocator.ts';
import type { Writer } from '../../../../src/manager/store/transaction.ts';
import {
  Network,
  Node,
  Service,
  Task,
  type NetworkAttachment,
} from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  EndpointSpec,
  EndpointSpec_ResolutionMode as Mode,
  ServiceSpec,
  TaskSpec,
} from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  NetworkAttachmentConfig,
  NodeDescription,
  PortConfig,
  TaskState,
  TaskStatus,
} from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { testControl, type TestControl } from '../../../support/local-control.ts';

const OPERATIONS = 100_000;
const PER_WRITE = 200;
const WRITES_PER_TERM = 20;
const MAX = { network: 8, service: 25, task: 120, node: 15 } as const;

let stop: () => Promise<void> = () => Promise.resolve();
afterEach(() => stop());

function lead({ store, clock }: TestControl): void {
  const abort = new AbortController();
  const done = new Allocator({ store, clock, log: silentLogger }).run(abort.signal);
  stop = async () => {
    abort.abort();
    await done;
  };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

/** Random changes as control, orchestrator, scheduler and dispatcher make them. */
class Disorder {
  readonly #random: () => number;
  #made = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  operate(tx: Writer): void {
    const kinds = ['network', 'service', 'task', 'task', 'task', 'node'] as const;
    const kind = kinds[this.#below(kinds.length)] ?? 'task';
    const isFull = tx[kind].all().length >= MAX[kind];
    if (isFull || this.#random() < 0.3) this.#change(tx, kind);
    else this.#make(tx, kind);
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #any<T>(things: readonly T[]): T | undefined {
    return things[this.#below(things.length)];
  }

  #make(tx: Writer, kind: keyof typeof MAX): void {
    const id = `${kind}${++this.#made}`;
    const annotations = { name: id, labels: {}, indices: [] };
    if (kind === 'network') {
      const network = Network.fromPartial({ id, spec: { annotations: { name: id } } });
      tx.network.create(network);
    } else if (kind === 'node') {
      const plugins = [{ type: 'Network', name: 'overlay' }];
      const description = { ...NodeDescription.fromPartial({}), engine: { engineVersion: '', labels: {}, plugins } };
      tx.node.create({ ...Node.fromPartial({ id }), description });
    } else if (kind === 'service') {
      const targets = new Set([this.#any(tx.network.all())?.id, this.#any(tx.network.all())?.id]);
      const networks = [...targets].flatMap((target) =>
        target ? [NetworkAttachmentConfig.fromPartial({ target })] : [],
      );
      const ports = Array.from({ length: this.#below(3) }, (_, i) => PortConfig.fromPartial({ targetPort: 80 + i }));
      const endpoint = { ...EndpointSpec.fromPartial({ mode: this.#any([Mode.VIP, Mode.DNSRR]) ?? Mode.VIP }), ports };
      const task = { ...TaskSpec.fromPartial({}), networks };
      tx.service.create({
        ...Service.fromPartial({ id }),
        spec: { ...ServiceSpec.fromPartial({}), annotations, endpoint, task },
      });
    } else {
      const service = this.#any(tx.service.all());
      if (service) {
        const task = Task.fromPartial({ id, serviceId: service.id, desiredState: TaskState.RUNNING, status: {} });
        tx.task.create({ ...task, spec: service.spec?.task });
      }
    }
  }

  #change(tx: Writer, kind: keyof typeof MAX): void {
    const object = this.#any<{ readonly id: string }>(tx[kind].all());
    if (!object) return;
    if (kind === 'task') {
      const task = tx.task.get(object.id);
      if (!task) return;
      const state = task.status?.state ?? TaskState.NEW;
      const node = this.#any(tx.node.all());
      if (state === TaskState.PENDING && node && this.#random() < 0.7) {
        tx.task.update({ ...task, nodeId: node.id, status: TaskStatus.fromPartial({ state: TaskState.ASSIGNED }) });
      } else if (state < TaskState.FAILED && this.#random() < 0.5) {
        tx.task.update({ ...task, status: TaskStatus.fromPartial({ state: TaskState.FAILED }) });
      } else tx.task.delete(task.id);
    } else if (kind === 'network') {
      // Control refuses this while the network is used.
      const isUsed = tx.service.by('network', object.id).length > 0 || tx.task.by('network', object.id).length > 0;
      if (!isUsed && object.id !== 'ingress') tx.network.delete(object.id);
    } else {
      for (const task of tx.task.by(kind, object.id)) tx.task.delete(task.id);
      tx[kind].delete(object.id);
    }
  }
}

function holdings({ store }: TestControl): readonly string[] {
  const { read } = store;
  const of = (attachments: readonly NetworkAttachment[]): readonly string[] =>
    attachments.flatMap(({ network, addresses }) => addresses.map((address) => `${network?.id} ${address}`));
  return [
    ...read.task.all().flatMap((task) => ((task.status?.state ?? 0) <= TaskState.RUNNING ? of(task.networks) : [])),
    ...read.node.all().flatMap((node) => of(node.attachments)),
    ...read.service
      .all()
      .flatMap(({ endpoint }) => [
        ...(endpoint?.virtualIps ?? []).map(({ networkId, addr }) => `${networkId} ${addr}`),
        ...(endpoint?.ports ?? []).map((port) => `port ${port.publishedPort}`),
      ]),
    ...read.network
      .all()
      .flatMap(({ ipam, driverState }) => [
        ...(ipam?.configs ?? []).map(({ subnet }) => subnet),
        ...Object.values(driverState?.options ?? {}),
      ]),
  ];
}

it('hands out nothing twice and loses nothing in 100,000 random operations under many leaders', async () => {
  const test = await testControl();
  const { store } = test;
  await store.update((tx) => {
    const spec = { annotations: { name: 'ingress' }, ingress: true };
    tx.network.create(Network.fromPartial({ id: 'ingress', spec }));
  });
  const disorder = new Disorder(20_26);
  for (let write = 0; write < OPERATIONS / PER_WRITE; write++) {
    if (write % WRITES_PER_TERM === 0) {
      await stop();
      lead(test);
    }
    await store.update((tx) => {
      for (let i = 0; i < PER_WRITE; i++) disorder.operate(tx);
    });
    // Some writes come while the allocator is still busy with those before.
    if (write % 3 !== 0) await settle();
    if (write % 4 !== 0) continue;
    const held = holdings(test);
    expect(held.length, `after write ${write}`).toBe(new Set(held).size);
  }
  // Everything goes but one network: all of its addresses must be free again.
  await store.update((tx) => {
    for (const kind of ['task', 'service', 'node'] as const) for (const { id } of tx[kind].all()) tx[kind].delete(id);
    for (const { id } of tx.network.all()) if (id !== 'ingress') tx.network.delete(id);
  });
  await settle();
  const free = 256 - 3;
  await store.update((tx) => {
    for (let i = 0; i <= free; i++) {
      const networks = [NetworkAttachmentConfig.fromPartial({ target: 'ingress' })];
      const task = Task.fromPartial({ id: `last${i}`, desiredState: TaskState.RUNNING, status: {} });
      tx.task.create({ ...task, spec: { ...TaskSpec.fromPartial({}), networks } });
    }
  });
  await settle();
  const states = store.read.task.all().map((task) => task.status?.state);
  expect(states.filter((state) => state === TaskState.PENDING)).toHaveLength(free);
  expect(store.read.task.all().find((task) => task.status?.state === TaskState.NEW)?.status?.err).toContain(
    'no free address in network ingress',
  );
}, 120_000);

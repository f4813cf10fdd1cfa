/**
 * The allocator's private tables and one pass of its work: first networks, then services, then tasks, since each needs what
 * the one before got. What cannot be served waits, with the reason on its tasks, until something changes that could help.
 */
import type { Clock } from '../../common/clock.ts';
import { clusterDefaults } from '../../common/cluster-defaults.ts';
import { isNodeLocal } from '../placement/node-local-network.ts';
import type { Change } from '../store/change.ts';
import type { Reader, Writer } from '../store/transaction.ts';
import {
  AddressBook,
  nodeAddresses,
  nodeOwner,
  serviceAddresses,
  serviceOwner,
  taskAddresses,
  taskOwner,
} from './address-book.ts';
import { isNetworkAllocated, planNetwork } from './network-plan.ts';
import { PortSpace, type PortCursors } from './port-space.ts';
import { NetworksInUse, planNode } from './node-plan.ts';
import { planService } from './service-plan.ts';
import { awaitsAllocation, planTask, withReason } from './task-plan.ts';

/** In the order of work. */
const KINDS = ['network', 'service', 'task', 'node'] as const;

/** One object to look at in a pass. */
export interface Work {
  readonly kind: (typeof KINDS)[number];
  readonly id: string;
}

export class Allocation {
  readonly #clock: Clock;
  readonly #addresses = new AddressBook();
  readonly #cursors: PortCursors = new Map();
  readonly #networksInUse = new NetworksInUse();
  readonly #pending = Object.fromEntries(KINDS.map((kind) => [kind, new Set<string>()])) as Record<
    Work['kind'],
    Set<string>
  >;
  /** What could not be served, and why. */
  readonly #waiting = Object.fromEntries(KINDS.map((kind) => [kind, new Map<string, string>()])) as Record<
    Work['kind'],
    Map<string, string>
  >;
  #mayHelpWaiting = false;
  /** The ingress network came or went. */
  #everyNode = false;
  /** These hold during one pass, in which nobody else can write. */
  #ports: PortSpace | undefined;
  #ingress: { readonly id: string | undefined } | undefined;
  readonly #settledServices = new Set<string>();

  /** Begins with everything that is in the store: what is held is noted before anything is chosen. */
  constructor(reader: Reader, clock: Clock) {
    this.#clock = clock;
    const [networks, services, tasks] = [reader.network.all(), reader.service.all(), reader.task.all()];
    for (const network of networks) if (isNetworkAllocated(network)) this.#addresses.addNetwork(network);
    for (const service of services) this.#addresses.hold(serviceOwner(service), serviceAddresses(service));
    for (const task of tasks) this.#addresses.hold(taskOwner(task), taskAddresses(task));
    for (const task of tasks) this.#networksInUse.note(task);
    for (const node of reader.node.all()) {
      this.#addresses.hold(nodeOwner(node), nodeAddresses(node));
      this.#pending.node.add(node.id);
    }
    for (const network of networks) if (!isNetworkAllocated(network)) this.#pending.network.add(network.id);
    for (const service of services) this.#pending.service.add(service.id);
    for (const task of tasks) if (awaitsAllocation(task)) this.#pending.task.add(task.id);
  }

  /** Takes note of a committed change. */
  note(change: Change): void {
    switch (change.kind) {
      case 'network':
        return this.#noteNetwork(change);
      case 'service': {
        const { object, old, action } = change;
        const isGone = action === 'delete';
        this.#freed(this.#addresses.hold(serviceOwner(object), isGone ? [] : serviceAddresses(object)));
        this.#forgetUnless(!isGone, 'service', object.id);
        const isChanged = object.spec !== old?.spec;
        if (isGone || isChanged || object.endpoint !== old?.endpoint) this.#mayHelpWaiting = true;
        if (!isGone && (isChanged || !object.endpoint)) this.#pending.service.add(object.id);
        return;
      }
      case 'task': {
        const { object } = change;
        const isGone = change.action === 'delete';
        this.#freed(this.#addresses.hold(taskOwner(object), isGone ? [] : taskAddresses(object)));
        const nodeId = this.#networksInUse.note(object, isGone);
        if (nodeId !== undefined) this.#pending.node.add(nodeId);
        const awaits = !isGone && awaitsAllocation(object);
        this.#forgetUnless(awaits, 'task', object.id);
        // The reason written on a waiting task comes back as a change of it; that alone is no cause to try again.
        if (awaits && this.#waiting.task.get(object.id) !== object.status?.err) this.#pending.task.add(object.id);
        return;
      }
      case 'node': {
        const { object, old, action } = change;
        const isGone = action === 'delete';
        this.#freed(this.#addresses.hold(nodeOwner(object), isGone ? [] : nodeAddresses(object)));
        this.#forgetUnless(!isGone, 'node', object.id);
        if (!isGone && object.description !== old?.description) this.#pending.node.add(object.id);
        return;
      }
      default:
      // Nothing else holds addresses or ports.
    }
  }

  /** Something may be allocated in a pass. */
  get hasWork(): boolean {
    return this.#everyNode || this.#mayHelpWaiting || KINDS.some((kind) => this.#pending[kind].size > 0);
  }

  /** The work of the next pass, in order, at most so much; the rest is for the pass after it. */
  takeWork(reader: Reader, limit: number): readonly Work[] {
    if (this.#everyNode) for (const { id } of reader.node.all()) this.#pending.node.add(id);
    this.#everyNode = false;
    if (this.#mayHelpWaiting) {
      for (const kind of KINDS) {
        for (const id of this.#waiting[kind].keys()) this.#pending[kind].add(id);
      }
      this.#mayHelpWaiting = false;
    }
    const work: Work[] = [];
    for (const kind of KINDS) {
      for (const id of this.#pending[kind]) {
        if (work.length >= limit) break;
        work.push({ kind, id });
        this.#pending[kind].delete(id);
      }
    }
    this.#ports = undefined;
    this.#ingress = undefined;
    this.#settledServices.clear();
    return work;
  }

  /** Does one piece of work inside a transaction. All pieces of a pass run without a pause between them. */
  perform(tx: Writer, { kind, id }: Work): void {
    switch (kind) {
      case 'network':
        return this.#allocateNetwork(tx, id);
      case 'service':
        return this.#settleService(tx, id);
      case 'task':
        return this.#allocateTask(tx, id);
      case 'node':
        return this.#attachNode(tx, id);
    }
  }

  #noteNetwork({ action, object, old }: Extract<Change, { kind: 'network' }>): void {
    // The reason written on a waiting network comes back as a change of it; that alone is no cause to try again.
    if (action === 'update' && object.waitsFor !== '' && object.waitsFor !== old?.waitsFor) return;
    this.#mayHelpWaiting = true;
    this.#forgetUnless(action !== 'delete', 'network', object.id);
    if (action === 'delete') this.#addresses.removeNetwork(object.id);
    if (object.spec?.ingress) this.#everyNode = true;
    if (action === 'delete') return;
    if (isNetworkAllocated(object)) this.#addresses.addNetwork(object);
    else this.#pending.network.add(object.id);
  }

  #freed(isFreed: boolean): void {
    if (isFreed) this.#mayHelpWaiting = true;
  }

  #forgetUnless(isKept: boolean, kind: Work['kind'], id: string): void {
    if (isKept) return;
    this.#pending[kind].delete(id);
    this.#waiting[kind].delete(id);
  }

  #allocateNetwork(tx: Writer, id: string): void {
    const network = tx.network.get(id);
    if (!network || isNetworkAllocated(network)) return;
    const cluster = tx.cluster.all()[0];
    const plan = planNetwork(network, tx.network.all(), {
      defaultAddressPool: cluster?.defaultAddressPool.length
        ? cluster.defaultAddressPool
        : [...clusterDefaults.addressPool],
      subnetSize: cluster?.subnetSize || clusterDefaults.subnetSize,
    });
    if ('waitsFor' in plan) {
      this.#waiting.network.set(id, plan.waitsFor);
      if (network.waitsFor !== plan.waitsFor) tx.network.update({ ...network, waitsFor: plan.waitsFor });
      return;
    }
    this.#waiting.network.delete(id);
    tx.network.update({ ...plan.network, waitsFor: '' });
    this.#addresses.addNetwork(plan.network);
  }

  #settleService(tx: Writer, id: string): void {
    const service = tx.service.get(id);
    if (!service || this.#settledServices.has(id)) return;
    this.#settledServices.add(id);
    const plan = planService(service, {
      addresses: this.#addresses.for(tx),
      ports: () => (this.#ports ??= publishedPorts(tx, this.#cursors)),
      ingressNetworkId: this.#ingressId(tx),
      isNodeLocal: (networkId) => {
        const network = tx.network.get(networkId);
        return network !== undefined && isNodeLocal(network);
      },
      whyNoAddress: (networkId) => this.#whyNoAddress(tx, networkId),
    });
    if (plan && 'waitsFor' in plan) {
      this.#waiting.service.set(id, plan.waitsFor);
      return;
    }
    this.#waiting.service.delete(id);
    if (plan) tx.service.update({ ...service, endpoint: plan.endpoint });
  }

  #allocateTask(tx: Writer, id: string): void {
    const task = tx.task.get(id);
    if (!task || !awaitsAllocation(task)) return;
    if (task.serviceId !== '') this.#settleService(tx, task.serviceId);
    const service = task.serviceId === '' ? undefined : tx.service.get(task.serviceId);
    // Its service is being removed, and it with it.
    if (task.serviceId !== '' && !service) return;
    const nowMs = this.#clock.now();
    const serviceWaitsFor = this.#waiting.service.get(task.serviceId);
    const plan =
      serviceWaitsFor === undefined
        ? planTask(task, service, {
            addresses: this.#addresses.for(tx),
            network: (networkId) => tx.network.get(networkId),
            ingressNetworkId: this.#ingressId(tx),
            whyNoAddress: (networkId) => this.#whyNoAddress(tx, networkId),
            nowMs,
          })
        : { waitsFor: serviceWaitsFor };
    if ('task' in plan) {
      this.#waiting.task.delete(id);
      tx.task.update(plan.task);
      return;
    }
    this.#waiting.task.set(id, plan.waitsFor);
    const told = withReason(task, plan.waitsFor, nowMs);
    if (told) tx.task.update(told);
  }

  #attachNode(tx: Writer, id: string): void {
    const node = tx.node.get(id);
    if (!node) return;
    const plan = planNode(node, {
      addresses: this.#addresses.for(tx),
      network: (networkId) => tx.network.get(networkId),
      ingressNetworkId: this.#ingressId(tx),
      used: this.#networksInUse.of(id),
    });
    const [lacking] = plan.lacking;
    const waitsFor = lacking === undefined ? '' : this.#whyNoAddress(tx, lacking);
    if (waitsFor === '') this.#waiting.node.delete(id);
    else this.#waiting.node.set(id, waitsFor);
    if (plan.node || node.waitsFor !== waitsFor) tx.node.update({ ...(plan.node ?? node), waitsFor });
  }

  #ingressId(tx: Reader): string | undefined {
    this.#ingress ??= {
      id: tx.network.all().find((network) => network.spec?.ingress && isNetworkAllocated(network))?.id,
    };
    return this.#ingress.id;
  }

  #whyNoAddress(tx: Reader, networkId: string): string {
    const network = tx.network.get(networkId);
    if (!network) return `network ${networkId} does not exist: update the service to use another one`;
    const name = network.spec?.annotations?.name ?? networkId;
    return this.#addresses.knows(networkId)
      ? `no free address in network ${name}: use a network with a larger subnet or remove something from this one`
      : `network ${name}: ${this.#waiting.network.get(networkId) ?? 'has no addresses yet'}`;
  }
}

/** Every port number that is published or asked for, of the mesh and of hosts alike, so that a chosen one is free for sure. */
function publishedPorts(reader: Reader, cursors: PortCursors): PortSpace {
  const space = new PortSpace(cursors);
  for (const service of reader.service.all()) {
    for (const port of [...(service.endpoint?.ports ?? []), ...(service.spec?.endpoint?.ports ?? [])]) {
      if (port.publishedPort !== 0) space.take(port.protocol, port.publishedPort);
    }
  }
  return space;
}

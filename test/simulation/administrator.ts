/** People at work, at whichever manager leads: what they ask for is refused, done, or nobody knows; they remember what was acknowledged. */
import type { Random } from '../../src/common/random.ts';
import type { Node, Service } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { UpdateServiceRequest_Rollback as Rollback } from '../../src/proto/generated/docker/swarmkit/v1/control.ts';
import {
  NodeSpec_Availability as Availability,
  type NodeSpec,
  type ServiceSpec,
} from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import type { Violate } from './checks/check.ts';
import { isManagerNode, type SimulatedManager } from './manager.ts';
import { ServiceSpecs } from './service-specs.ts';
import type { Tell } from './trace.ts';

const MAX_SERVICES = 8;

export interface AdministratorSurroundings {
  readonly random: Random;
  readonly leader: () => SimulatedManager | undefined;
  readonly violate: Violate;
  readonly tell: Tell;
}

type Act = (manager: SimulatedManager, service: Service) => Promise<void>;

export class Administrator {
  /** Services whose creation was acknowledged and whose removal was not tried. */
  readonly kept = new Set<string>();
  readonly #around: AdministratorSurroundings;
  readonly #specs: ServiceSpecs;
  /** What people do to a service they have, and how often. */
  readonly #acts: readonly (readonly [weight: number, name: string, act: Act])[] = [
    [20, 'scale', (manager, service) => this.#change(manager, service, (spec) => this.#specs.scaled(spec))],
    [25, 'image', (manager, service) => this.#change(manager, service, (spec) => this.#specs.withOtherImage(spec))],
    [
      4,
      'placement',
      (manager, service) => this.#change(manager, service, (spec) => this.#specs.withOtherPlacement(spec)),
    ],
    [
      4,
      'policies',
      (manager, service) => this.#change(manager, service, (spec) => this.#specs.withOtherPolicies(spec)),
    ],
    [4, 'ports', (manager, service) => this.#change(manager, service, (spec) => this.#specs.things.published(spec))],
    [
      8,
      'attach',
      (manager, service) => this.#change(manager, service, (spec) => this.#specs.things.attached(spec, manager)),
    ],
    [12, 'shared things', (manager) => this.#specs.things.makeOrRemove(manager)],
    [4, 'roll back', (manager, service) => this.#rollBack(manager, service)],
    [10, 'remove', (manager, service) => this.#remove(manager, service)],
    [3, 'change what is stale', (manager, service) => this.#changeStale(manager, service)],
    [3, 'limit history', (manager) => this.#limitHistory(manager)],
    [5, 'label a node', (manager) => this.#label(manager)],
    [12, 'availability', (manager) => this.#changeAvailability(manager)],
  ];
  /** A service as it was some time ago. */
  #earlier: Service | undefined;
  #made = 0;
  acknowledged = 0;

  constructor(around: AdministratorSurroundings) {
    this.#around = around;
    this.#specs = new ServiceSpecs(around.random);
  }

  /** One thing; errors are what people live with when a leader dies. */
  async act(): Promise<void> {
    const manager = this.#around.leader();
    if (manager === undefined) return;
    const services = manager.store.read.service.all();
    const service = services[this.#below(services.length)];
    try {
      if (service === undefined || (this.#around.random() < 0.25 && services.length < MAX_SERVICES))
        await this.#create(manager);
      else await this.#actOn(manager, service);
      this.acknowledged++;
    } catch {
      // Refused, or nobody knows; either way somebody else may lead by now.
    }
  }

  /** All nodes take tasks again, and half of the services get an image that works. */
  async settle(manager: SimulatedManager): Promise<void> {
    for (const node of workersOf(manager)) await this.#setAvailability(manager, node, Availability.ACTIVE);
    for (const service of manager.store.read.service.all()) {
      if (this.#around.random() < 0.5) await this.#change(manager, service, (spec) => this.#specs.withGoodImage(spec));
    }
  }

  #actOn(manager: SimulatedManager, service: Service): Promise<void> {
    let weight = this.#around.random() * this.#acts.reduce((sum, [each]) => sum + each, 0);
    const found = this.#acts.find(([each]) => (weight -= each) < 0) ?? this.#acts[0];
    const [, name, act] = found as readonly [number, string, Act];
    this.#around.tell(`people ask manager ${manager.id}: ${name} ${service.id}`);
    return act(manager, service);
  }

  async #create(manager: SimulatedManager): Promise<void> {
    const name = `service-${++this.#made}`;
    await manager.control.createService({ id: '', spec: this.#specs.aService(name, manager) });
    this.kept.add(name);
  }

  async #change(
    manager: SimulatedManager,
    service: Service,
    change: (spec: ServiceSpec) => ServiceSpec,
    rollback: Rollback = Rollback.NONE,
  ): Promise<void> {
    const spec = change(service.spec as ServiceSpec);
    this.#earlier ??= service;
    await manager.control.updateService({
      serviceId: service.id,
      serviceVersion: service.meta?.version,
      spec,
      rollback,
    });
  }

  #rollBack(manager: SimulatedManager, service: Service): Promise<void> {
    return this.#change(manager, service, (spec) => spec, Rollback.PREVIOUS);
  }

  /** Somebody who has not looked for a while must be told so. */
  async #changeStale(manager: SimulatedManager, { id }: Service): Promise<void> {
    const earlier = this.#earlier ?? manager.store.read.service.get(id);
    this.#earlier = undefined;
    const now = earlier && manager.store.read.service.get(earlier.id);
    if (!now || now.meta?.version?.index === earlier.meta?.version?.index) return;
    await this.#change(manager, earlier, (spec) => this.#specs.scaled(spec));
    this.#around.violate(29, `a change of ${earlier.id} as of version ${earlier.meta?.version?.index} was accepted`);
  }

  async #remove(manager: SimulatedManager, service: Service): Promise<void> {
    this.kept.delete(service.spec?.annotations?.name ?? '');
    await manager.control.removeService({ serviceId: service.id });
  }

  async #limitHistory(manager: SimulatedManager): Promise<void> {
    const cluster = manager.store.read.cluster.all()[0];
    if (!cluster?.spec) return;
    const spec = { ...cluster.spec, orchestration: { taskHistoryRetentionLimit: 1 + this.#below(5) } };
    const rotation = undefined;
    await manager.control.updateCluster({
      clusterId: cluster.id,
      clusterVersion: cluster.meta?.version,
      spec,
      rotation,
    });
  }

  async #label(manager: SimulatedManager): Promise<void> {
    const node = this.#aNode(manager);
    if (!node?.spec?.annotations) return;
    const annotations = { ...node.spec.annotations, labels: { zone: this.#specs.zone() } };
    await this.#changeNode(manager, node, { ...node.spec, annotations });
  }

  async #changeAvailability(manager: SimulatedManager): Promise<void> {
    const isResting = ({ spec }: Node): boolean => spec?.availability !== Availability.ACTIVE;
    const resting = workersOf(manager).find(isResting);
    const node = resting ?? this.#aNode(manager);
    const rest = this.#around.random() < 0.7 ? Availability.DRAIN : Availability.PAUSE;
    if (node) await this.#setAvailability(manager, node, resting ? Availability.ACTIVE : rest);
  }

  async #setAvailability(manager: SimulatedManager, node: Node, availability: Availability): Promise<void> {
    if (node.spec?.availability === availability) return;
    await this.#changeNode(manager, node, { ...(node.spec as NodeSpec), availability });
  }

  async #changeNode(manager: SimulatedManager, node: Node, spec: NodeSpec): Promise<void> {
    await manager.control.updateNode({ nodeId: node.id, nodeVersion: node.meta?.version, spec });
  }

  #aNode(manager: SimulatedManager): Node | undefined {
    const nodes = workersOf(manager);
    return nodes[this.#below(nodes.length)];
  }

  #below(n: number): number {
    return Math.floor(this.#around.random() * n);
  }
}

/** Nodes of managers run no tasks and are left alone. */
const workersOf = ({ store }: SimulatedManager): readonly Node[] =>
  store.read.node.all().filter(({ id }) => !isManagerNode(id));

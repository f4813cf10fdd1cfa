/** People at work, at whichever manager leads: what they ask for is refused, done, or nobody knows; they remember what was acknowledged. */
import type { Random } from '../../src/common/random.ts';
import type { Node, Service } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  UpdateServiceRequest_Rollback as Rollback,
  type KeyRotation,
} from '../../src/proto/generated/docker/swarmkit/v1/control.ts';
import {
  NodeSpec_Availability as Availability,
  type ClusterSpec,
  type NodeSpec,
  type ServiceSpec,
} from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { CAConfig, NodeRole } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { Violate } from './checks/check.ts';
import type { SimulatedManager } from './manager.ts';
import { ServiceSpecs } from './service-specs.ts';
import type { Switches } from './switches.ts';
import type { Tell } from './trace.ts';

const MAX_SERVICES = 8;

export interface AdministratorSurroundings {
  readonly random: Random;
  readonly leader: () => SimulatedManager | undefined;
  readonly violate: Violate;
  readonly tell: Tell;
  readonly switches: Switches;
}

type Act = (people: Administrator, manager: SimulatedManager, service: Service) => Promise<void>;

/** What people do when they have a service, and how often. The names are those by which it is switched off. */
const ACTS: readonly (readonly [weight: number, name: string, act: Act])[] = [
  [20, 'scale', (people, ...at) => people.change(...at, (specs, spec) => specs.scaled(spec))],
  [25, 'image', (people, ...at) => people.change(...at, (specs, spec) => specs.withOtherImage(spec))],
  [4, 'placement', (people, ...at) => people.change(...at, (specs, spec) => specs.withOtherPlacement(spec))],
  [4, 'policies', (people, ...at) => people.change(...at, (specs, spec) => specs.withOtherPolicies(spec))],
  [4, 'ports', (people, ...at) => people.change(...at, (specs, spec) => specs.things.published(spec))],
  [8, 'attach', (people, ...at) => people.change(...at, (specs, spec) => specs.things.attached(spec, at[0]))],
  [12, 'shared things', (people, manager) => people.makeOrRemove(manager)],
  [4, 'roll back', (people, ...at) => people.rollBack(...at)],
  [10, 'remove', (people, ...at) => people.remove(...at)],
  [3, 'change what is stale', (people, ...at) => people.changeStale(...at)],
  [3, 'limit history', (people, manager) => people.limitHistory(manager)],
  [5, 'label a node', (people, manager) => people.label(manager)],
  [12, 'availability', (people, manager) => people.changeAvailability(manager)],
  [3, 'rotate the root', (people, manager) => people.rotateRoot(manager)],
  [2, 'rotate tokens', (people, manager) => people.rotateTokens(manager)],
];

export const ACT_NAMES: readonly string[] = ACTS.map(([, name]) => name);

export class Administrator {
  /** Services whose creation was acknowledged and whose removal was not tried. */
  readonly kept = new Set<string>();
  readonly #around: AdministratorSurroundings;
  readonly #specs: ServiceSpecs;
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
      if (this.#around.random() < 0.5) await this.change(manager, service, (specs, spec) => specs.withGoodImage(spec));
    }
  }

  #actOn(manager: SimulatedManager, service: Service): Promise<void> {
    let weight = this.#around.random() * ACTS.reduce((sum, [each]) => sum + each, 0);
    const found = ACTS.find(([each]) => (weight -= each) < 0) ?? ACTS[0];
    const [, name, act] = found as readonly [number, string, Act];
    if (!this.#around.switches.isOn(name)) return Promise.resolve();
    this.#around.tell(`people ask manager ${manager.number}: ${name} ${service.id}`);
    return act(this, manager, service);
  }

  async #create(manager: SimulatedManager): Promise<void> {
    const name = `service-${++this.#made}`;
    await manager.control.createService({ id: '', spec: this.#specs.aService(name, manager) });
    this.kept.add(name);
  }

  async change(
    manager: SimulatedManager,
    service: Service,
    change: (specs: ServiceSpecs, spec: ServiceSpec) => ServiceSpec,
    rollback: Rollback = Rollback.NONE,
  ): Promise<void> {
    const spec = change(this.#specs, service.spec as ServiceSpec);
    this.#earlier ??= service;
    await manager.control.updateService({
      serviceId: service.id,
      serviceVersion: service.meta?.version,
      spec,
      rollback,
    });
  }

  makeOrRemove(manager: SimulatedManager): Promise<void> {
    return this.#specs.things.makeOrRemove(manager);
  }

  rollBack(manager: SimulatedManager, service: Service): Promise<void> {
    return this.change(manager, service, (_, spec) => spec, Rollback.PREVIOUS);
  }

  /** Somebody who has not looked for a while must be told so. */
  async changeStale(manager: SimulatedManager, { id }: Service): Promise<void> {
    const earlier = this.#earlier ?? manager.store.read.service.get(id);
    this.#earlier = undefined;
    const now = earlier && manager.store.read.service.get(earlier.id);
    if (!now || now.meta?.version?.index === earlier.meta?.version?.index) return;
    await this.change(manager, earlier, (specs, spec) => specs.scaled(spec));
    this.#around.violate(29, `a change of ${earlier.id} as of version ${earlier.meta?.version?.index} was accepted`);
  }

  async remove(manager: SimulatedManager, service: Service): Promise<void> {
    this.kept.delete(service.spec?.annotations?.name ?? '');
    await manager.control.removeService({ serviceId: service.id });
  }

  async limitHistory(manager: SimulatedManager): Promise<void> {
    const orchestration = { taskHistoryRetentionLimit: 1 + this.#below(5) };
    await this.#changeCluster(manager, (spec) => ({ ...spec, orchestration }));
  }

  async rotateRoot(manager: SimulatedManager): Promise<void> {
    await this.#changeCluster(manager, (spec) => {
      const caConfig = CAConfig.fromPartial(spec.caConfig ?? {});
      return { ...spec, caConfig: { ...caConfig, forceRotate: caConfig.forceRotate + 1 } };
    });
  }

  async rotateTokens(manager: SimulatedManager): Promise<void> {
    const rotation = { workerJoinToken: true, managerJoinToken: true, managerUnlockKey: false };
    await this.#changeCluster(manager, (spec) => spec, rotation);
  }

  async #changeCluster(
    manager: SimulatedManager,
    change: (spec: ClusterSpec) => ClusterSpec,
    rotation?: KeyRotation,
  ): Promise<void> {
    const cluster = manager.store.read.cluster.all()[0];
    if (!cluster?.spec) return;
    await manager.control.updateCluster({
      clusterId: cluster.id,
      clusterVersion: cluster.meta?.version,
      spec: change(cluster.spec),
      rotation,
    });
  }

  async label(manager: SimulatedManager): Promise<void> {
    const node = this.#aNode(manager);
    if (!node?.spec?.annotations) return;
    const annotations = { ...node.spec.annotations, labels: { zone: this.#specs.zone() } };
    await this.#changeNode(manager, node, { ...node.spec, annotations });
  }

  async changeAvailability(manager: SimulatedManager): Promise<void> {
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

/** Nodes of managers are left alone. */
const workersOf = ({ store }: SimulatedManager): readonly Node[] =>
  store.read.node.all().filter(({ role, spec }) => role === NodeRole.WORKER && spec?.desiredRole === NodeRole.WORKER);

/** People at work: they create, scale, change and remove services and drain nodes, at whichever manager leads, and remember what was acknowledged. */
import type { Random } from '../../src/common/random.ts';
import type { Node, Service } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  NodeSpec_Availability,
  ServiceSpec,
  type NodeSpec,
  type ServiceSpec as Spec,
} from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  RestartPolicy_RestartCondition,
  UpdateConfig_UpdateOrder,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { FLAKY_LABEL } from './agent.ts';
import type { SimulatedManager } from './manager.ts';

const MAX_SERVICES = 6;
const CPU_SHARE = 4e8;

export class Administrator {
  /** Services whose creation was acknowledged and whose removal was not tried. */
  readonly kept = new Set<string>();
  readonly #random: Random;
  readonly #leader: () => SimulatedManager | undefined;
  #made = 0;
  acknowledged = 0;

  constructor(random: Random, leader: () => SimulatedManager | undefined) {
    this.#random = random;
    this.#leader = leader;
  }

  /** One thing; errors are what people live with when a leader dies. */
  async act(): Promise<void> {
    const manager = this.#leader();
    if (manager === undefined) return;
    const services = manager.store.read.service.all();
    const service = services[this.#below(services.length)];
    const choice = this.#random();
    try {
      if (service === undefined || (choice < 0.25 && services.length < MAX_SERVICES)) await this.#create(manager);
      else if (choice < 0.5)
        await this.#change(manager, service, (spec) => ({ ...spec, mode: replicated(this.#below(7)) }));
      else if (choice < 0.75) await this.#change(manager, service, (spec) => withImage(spec, `v${this.#below(1000)}`));
      else if (choice < 0.85) await this.#remove(manager, service);
      else await this.#drainOrActivate(manager);
      this.acknowledged++;
    } catch {
      // Refused, or nobody knows; either way somebody else may lead by now.
    }
  }

  async activateAll(manager: SimulatedManager): Promise<void> {
    for (const node of manager.store.read.node.all()) await this.#setAvailability(manager, node, ACTIVE);
  }

  async #create(manager: SimulatedManager): Promise<void> {
    const name = `service-${++this.#made}`;
    const isFlaky = this.#random() < 0.3;
    const order = this.#random() < 0.5 ? UpdateConfig_UpdateOrder.START_FIRST : UpdateConfig_UpdateOrder.STOP_FIRST;
    const reservations = this.#random() < 0.5 ? { nanoCpus: CPU_SHARE } : undefined;
    const base = ServiceSpec.fromPartial({
      annotations: { name, labels: isFlaky ? { [FLAKY_LABEL]: 'yes' } : {} },
      task: {
        runtime: { $case: 'container', value: { image: 'v1' } },
        restart: { condition: RestartPolicy_RestartCondition.ANY, delay: { seconds: 1 } },
        placement: { maxReplicas: this.#random() < 0.2 ? 2 : 0 },
        ...(reservations && { resources: { reservations } }),
      },
      update: { parallelism: 1 + this.#below(2), order },
    });
    await manager.control.createService({ id: '', spec: { ...base, mode: replicated(1 + this.#below(5)) } });
    this.kept.add(name);
  }

  async #change(manager: SimulatedManager, service: Service, change: (spec: Spec) => Spec): Promise<void> {
    const spec = change(service.spec as Spec);
    const request = { serviceId: service.id, serviceVersion: service.meta?.version, spec, rollback: 0 } as const;
    await manager.control.updateService(request);
  }

  async #remove(manager: SimulatedManager, service: Service): Promise<void> {
    this.kept.delete(service.spec?.annotations?.name ?? '');
    await manager.control.removeService({ serviceId: service.id });
  }

  async #drainOrActivate(manager: SimulatedManager): Promise<void> {
    const nodes = manager.store.read.node.all();
    const drained = nodes.find(({ spec }) => spec?.availability === NodeSpec_Availability.DRAIN);
    const node = drained ?? nodes[this.#below(nodes.length)];
    if (node) await this.#setAvailability(manager, node, drained ? ACTIVE : NodeSpec_Availability.DRAIN);
  }

  async #setAvailability(manager: SimulatedManager, node: Node, availability: NodeSpec_Availability): Promise<void> {
    if (node.spec?.availability === availability) return;
    const spec = { ...(node.spec as NodeSpec), availability };
    await manager.control.updateNode({ nodeId: node.id, nodeVersion: node.meta?.version, spec });
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }
}

const ACTIVE = NodeSpec_Availability.ACTIVE;
const replicated = (replicas: number): Spec['mode'] => ({ $case: 'replicated', value: { replicas } });

function withImage(spec: Spec, image: string): Spec {
  const { task } = spec;
  if (task?.runtime?.$case !== 'container') return spec;
  return { ...spec, task: { ...task, runtime: { $case: 'container', value: { ...task.runtime.value, image } } } };
}

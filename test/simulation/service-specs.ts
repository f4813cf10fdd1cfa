/** Services as people of all kinds ask for them, and the changes they make. */
import type { Random } from '../../src/common/random.ts';
import { ServiceSpec, type TaskSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  RestartPolicy_RestartCondition as Condition,
  UpdateConfig_FailureAction as FailureAction,
  UpdateConfig_UpdateOrder as Order,
  type Placement,
  type RestartPolicy,
  type UpdateConfig,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { imageOf, type Behaviour } from './behaviour.ts';
import type { SimulatedManager } from './manager.ts';
import { SharedThings } from './shared-things.ts';
import { durationOfMs } from '../../src/common/time.ts';

const CPU_SHARE = 4e8;
const ZONES = ['a', 'b'] as const;

export class ServiceSpecs {
  readonly things: SharedThings;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.things = new SharedThings(random);
  }

  aService(name: string, manager: SimulatedManager): ServiceSpec {
    const mode = this.#mode();
    const isJob = mode?.$case === 'replicatedJob' || mode?.$case === 'globalJob';
    const behaviour = isJob ? this.#pick<Behaviour>(['brief', 'brief', 'flaky', 'missing']) : this.#usual();
    const update = isJob ? undefined : this.#updateConfig();
    const spec = ServiceSpec.fromPartial({
      annotations: { name },
      task: {
        runtime: { $case: 'container', value: { image: this.#image(behaviour) } },
        restart: this.#restartPolicy(),
        placement: this.#placement(),
        resources: { reservations: { nanoCpus: this.#pick([0, CPU_SHARE]), generic: this.things.generic() } },
      },
      ...(update && { update, rollback: this.#updateConfig() }),
    });
    return this.things.published(this.things.attached({ ...spec, mode }, manager));
  }

  scaled(spec: ServiceSpec): ServiceSpec {
    switch (spec.mode?.$case) {
      case 'replicated':
        return { ...spec, mode: { $case: 'replicated', value: { replicas: this.#below(7) } } };
      case 'replicatedJob':
        return { ...spec, mode: this.#replicatedJob() };
      default:
        return this.withOtherImage(spec);
    }
  }

  withOtherImage(spec: ServiceSpec): ServiceSpec {
    const isBad = this.#chance(0.3);
    return withImage(spec, this.#image(isBad ? this.#pick<Behaviour>(['failing', 'missing', 'brief']) : this.#usual()));
  }

  /** One whose tasks run. */
  withGoodImage(spec: ServiceSpec): ServiceSpec {
    const isJob = spec.mode?.$case === 'replicatedJob' || spec.mode?.$case === 'globalJob';
    return withImage(spec, this.#image(isJob ? 'brief' : 'steady'));
  }

  withOtherPlacement(spec: ServiceSpec): ServiceSpec {
    return { ...spec, task: { ...(spec.task as TaskSpec), placement: this.#placement() } };
  }

  withOtherPolicies(spec: ServiceSpec): ServiceSpec {
    const changed = { ...spec, task: { ...(spec.task as TaskSpec), restart: this.#restartPolicy() } };
    return spec.update ? { ...changed, update: this.#updateConfig(), rollback: this.#updateConfig() } : changed;
  }

  zone(): string {
    return this.#pick(ZONES);
  }

  #mode(): ServiceSpec['mode'] {
    const choice = this.#random();
    if (choice < 0.6) return { $case: 'replicated', value: { replicas: 1 + this.#below(5) } };
    if (choice < 0.75) return { $case: 'global', value: {} };
    return choice < 0.9 ? this.#replicatedJob() : { $case: 'globalJob', value: {} };
  }

  #replicatedJob(): ServiceSpec['mode'] {
    const value = { maxConcurrent: this.#below(4), totalCompletions: 1 + this.#below(6) };
    return { $case: 'replicatedJob', value };
  }

  #usual(): Behaviour {
    return this.#chance(0.25) ? 'flaky' : 'steady';
  }

  #image(behaviour: Behaviour): string {
    return imageOf(behaviour, this.#below(1000));
  }

  #restartPolicy(): RestartPolicy {
    return {
      condition: this.#pick([Condition.ANY, Condition.ANY, Condition.ANY, Condition.ON_FAILURE, Condition.NONE]),
      delay: durationOfMs(this.#pick([500, 1000, 2000, 5000])),
      maxAttempts: this.#pick([0, 0, 0, 1, 3]),
      window: durationOfMs(this.#pick([0, 0, 10_000])),
    };
  }

  #updateConfig(): UpdateConfig {
    return {
      parallelism: this.#below(3),
      delay: durationOfMs(this.#pick([0, 0, 700])),
      monitor: durationOfMs(this.#pick([0, 1000, 3000])),
      failureAction: this.#pick([FailureAction.PAUSE, FailureAction.CONTINUE, FailureAction.ROLLBACK]),
      maxFailureRatio: this.#pick([0, 0, 0.5]),
      order: this.#pick([Order.STOP_FIRST, Order.START_FIRST]),
    };
  }

  #placement(): Placement {
    return {
      constraints: this.#chance(0.2) ? [`node.labels.zone==${this.zone()}`] : [],
      preferences: [],
      platforms: [],
      maxReplicas: this.#chance(0.2) ? 2 : 0,
    };
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T;
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }
}

function withImage(spec: ServiceSpec, image: string): ServiceSpec {
  const { task } = spec;
  if (task?.runtime?.$case !== 'container') return spec;
  return { ...spec, task: { ...task, runtime: { $case: 'container', value: { ...task.runtime.value, image } } } };
}

/** Secrets, configs, networks and ports that services share, and the people who make and remove them. */
import type { Random } from '../../src/common/random.ts';
import {
  ConfigSpec,
  EndpointSpec,
  NetworkSpec,
  SecretSpec,
  type ServiceSpec,
  type TaskSpec,
} from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  ConfigReference,
  IPAMConfig,
  NetworkAttachmentConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode as PublishMode,
  SecretReference,
  type GenericResource,
  type PortConfig,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { SimulatedManager } from './manager.ts';

/** So few and so small that services come into one another's way. */
const MAX_OF_A_KIND = 4;
const NETWORK_PREFIX_LENGTH = 28;
const INGRESS_PORTS = { first: 8000, count: 4 };
const HOST_PORTS = { first: 9000, count: 3 };

export class SharedThings {
  readonly #random: Random;
  #made = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes one, or removes one that may be in use. */
  async makeOrRemove({ control, store }: SimulatedManager): Promise<void> {
    const kind = this.#pick(['secret', 'config', 'network'] as const);
    const present = store.read[kind].all().filter(({ spec }) => !(spec && 'ingress' in spec && spec.ingress));
    const one = this.#pick(present);
    if (one === undefined || (present.length < MAX_OF_A_KIND && this.#random() < 0.6)) await this.#make(kind, control);
    else if (kind === 'secret') await control.removeSecret({ secretId: one.id });
    else if (kind === 'config') await control.removeConfig({ configId: one.id });
    else await control.removeNetwork({ networkId: one.id, name: '' });
  }

  /** The spec with other secrets, configs and networks. */
  attached(spec: ServiceSpec, { store }: SimulatedManager): ServiceSpec {
    const { runtime } = spec.task as TaskSpec;
    if (runtime?.$case !== 'container') return spec;
    const some = <T>(things: readonly T[]): readonly T[] => things.filter(() => this.#random() < 0.3);
    const secrets = some(store.read.secret.all()).map(({ id, spec: own }) =>
      SecretReference.fromPartial({ secretId: id, secretName: own?.annotations?.name ?? '', target: file(id) }),
    );
    const configs = some(store.read.config.all()).map(({ id, spec: own }) =>
      ConfigReference.fromPartial({ configId: id, configName: own?.annotations?.name ?? '', target: file(id) }),
    );
    const networks = some(store.read.network.all().filter((network) => !network.spec?.ingress)).map(({ id }) =>
      NetworkAttachmentConfig.fromPartial({ target: id }),
    );
    const container = { ...runtime.value, secrets, configs };
    return {
      ...spec,
      task: { ...(spec.task as TaskSpec), networks, runtime: { $case: 'container', value: container } },
    };
  }

  /** The spec with other published ports; mostly none. */
  published(spec: ServiceSpec): ServiceSpec {
    const choice = this.#random();
    const endpoint = (port: Pick<PortConfig, 'publishMode' | 'publishedPort'>): ServiceSpec => {
      const protocol = this.#pick([PortConfig_Protocol.TCP, PortConfig_Protocol.UDP]);
      const ports = [{ name: '', targetPort: 80, protocol, ...port }];
      return { ...spec, endpoint: { ...EndpointSpec.fromPartial({}), ports } };
    };
    if (choice < 0.6) return { ...spec, endpoint: undefined };
    if (choice < 0.7) return endpoint({ publishMode: PublishMode.INGRESS, publishedPort: 0 });
    return choice < 0.85
      ? endpoint({ publishMode: PublishMode.INGRESS, publishedPort: this.#oneOf(INGRESS_PORTS) })
      : endpoint({ publishMode: PublishMode.HOST, publishedPort: this.#oneOf(HOST_PORTS) });
  }

  /** Generic resources a task reserves; mostly none. */
  generic(): readonly GenericResource[] {
    if (this.#random() < 0.85) return [];
    const kind = this.#pick(['gpu', 'apple']);
    return [{ resource: { $case: 'discreteResourceSpec', value: { kind, value: 1 + this.#below(2) } } }];
  }

  async #make(kind: 'secret' | 'config' | 'network', control: SimulatedManager['control']): Promise<void> {
    const annotations = { name: `${kind}-${++this.#made}`, labels: {} };
    const data = Buffer.from(annotations.name);
    if (kind === 'secret') await control.createSecret({ id: '', spec: SecretSpec.fromPartial({ annotations, data }) });
    else if (kind === 'config')
      await control.createConfig({ id: '', spec: ConfigSpec.fromPartial({ annotations, data }) });
    else {
      const subnet = `10.${100 + this.#below(3)}.0.0/${NETWORK_PREFIX_LENGTH}`;
      // Some choose their subnet, which others may have.
      const configs = this.#random() < 0.7 ? [IPAMConfig.fromPartial({ subnet })] : [];
      const spec = NetworkSpec.fromPartial({ annotations, driverConfig: { name: 'overlay' } });
      await control.createNetwork({ id: '', spec: { ...spec, ipam: { driver: undefined, configs } } });
    }
  }

  #oneOf({ first, count }: { readonly first: number; readonly count: number }): number {
    return first + this.#below(count);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T;
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }
}

const file = (name: string): SecretReference['target'] => ({
  $case: 'file',
  value: { name, uid: '0', gid: '0', mode: 0o444 },
});

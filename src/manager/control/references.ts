/** What a service spec refers to: every secret, config and network must exist. */
import type { ServiceSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { NetworkAttachmentConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Reader } from '../store/transaction.ts';
import { notFound } from './not-found.ts';
import { invalid } from './validation/refusal.ts';

/** Checks all references and returns the spec with networks named by id. */
export function resolveReferences(reader: Reader, spec: ServiceSpec): ServiceSpec {
  const container = spec.task?.runtime?.$case === 'container' ? spec.task.runtime.value : undefined;
  if (container) {
    refuseMissing(
      'secret',
      container.secrets
        .filter((ref) => reader.secret.get(ref.secretId)?.spec?.annotations?.name !== ref.secretName)
        .map((ref) => ref.secretName),
    );
    refuseMissing(
      'config',
      container.configs
        .filter((ref) => reader.config.get(ref.configId)?.spec?.annotations?.name !== ref.configName)
        .map((ref) => ref.configName),
    );
  }
  const networks = spec.networks.map((config) => resolveNetwork(reader, config));
  const task = spec.task && {
    ...spec.task,
    networks: spec.task.networks.map((config) => resolveNetwork(reader, config)),
  };
  return { ...spec, networks, task };
}

function refuseMissing(noun: string, names: readonly string[]): void {
  if (names.length === 0) return;
  throw invalid(`${names.length === 1 ? noun : `${noun}s`} not found: ${names.join(', ')}`);
}

function resolveNetwork(reader: Reader, config: NetworkAttachmentConfig): NetworkAttachmentConfig {
  const network = reader.network.get(config.target) ?? reader.network.byName(config.target);
  if (!network) throw notFound('network', config.target);
  const name = network.spec?.annotations?.name ?? '';
  if (network.spec?.ingress) {
    throw invalid(`Service cannot be explicitly attached to the ingress network ${JSON.stringify(name)}`);
  }
  if ('com.docker.swarm.internal' in (network.spec?.annotations?.labels ?? {})) {
    throw invalid(
      `Service cannot be explicitly attached to ${JSON.stringify(name)} network which is a swarm internal network`,
    );
  }
  return { ...config, target: network.id };
}

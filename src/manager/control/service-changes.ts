/** What may not change about a service once it exists. */
import { SwarmError } from '../../common/errors.ts';
import type { ServiceSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { NetworkAttachmentConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';

export function refuseForbiddenChanges(present: ServiceSpec, wanted: ServiceSpec): void {
  if (present.annotations?.name !== wanted.annotations?.name) {
    throw new SwarmError('unimplemented', 'renaming services is not supported');
  }
  if (present.mode?.$case !== wanted.mode?.$case) {
    throw new SwarmError('unimplemented', 'service mode change is not allowed');
  }
}

/** Compares networks, named by id on both sides. */
export function refuseNetworkChange(present: ServiceSpec, wanted: ServiceSpec): void {
  // Networks change through the task's list; moving the old list there is how a client gets rid of it.
  const movesToTask = wanted.networks.length === 0 && (wanted.task?.networks.length ?? 0) > 0;
  if (!movesToTask && !sameNetworks(present.networks, wanted.networks)) {
    throw new SwarmError('unimplemented', 'changing network in service is not supported');
  }
}

type Networks = readonly NetworkAttachmentConfig[];

const sameNetworks = (a: Networks, b: Networks): boolean =>
  a.length === b.length && a.every((config, i) => encode(config).equals(encode(b[i] as NetworkAttachmentConfig)));

const encode = (config: NetworkAttachmentConfig): Buffer =>
  Buffer.from(NetworkAttachmentConfig.encode(config).finish());

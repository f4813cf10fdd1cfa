/**
 * Published ports of one service against those of all others. A port of the routing mesh belongs to one service; ports
 * published on the host may be shared, since the scheduler keeps their tasks apart.
 */
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { EndpointSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { PortConfig_PublishMode, type PortConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { invalid } from './validation/refusal.ts';

/**
 * Throws invalidArgument naming the port and the service that has it.
 * @param serviceId the service being changed; undefined for a new one
 */
export function refusePortConflicts(
  endpoint: EndpointSpec | undefined,
  serviceId: string | undefined,
  services: () => readonly Service[],
): void {
  const wanted = new Map<string, PortConfig_PublishMode>();
  for (const port of endpoint?.ports ?? []) {
    if (port.publishedPort !== 0) wanted.set(keyOf(port), port.publishMode);
  }
  if (wanted.size === 0) return;
  for (const other of services()) {
    if (other.id === serviceId) continue;
    for (const port of [...(other.spec?.endpoint?.ports ?? []), ...(other.endpoint?.ports ?? [])]) {
      const mode = port.publishedPort === 0 ? undefined : wanted.get(keyOf(port));
      if (mode === undefined) continue;
      const holds = `port '${port.publishedPort}' is already in use by service '${other.spec?.annotations?.name ?? ''}' (${other.id})`;
      if (port.publishMode === PortConfig_PublishMode.INGRESS) throw invalid(`${holds} as an ingress port`);
      if (mode === PortConfig_PublishMode.INGRESS) throw invalid(`${holds} as a host-published port`);
    }
  }
}

const keyOf = (port: PortConfig): string => `${port.protocol}/${port.publishedPort}`;

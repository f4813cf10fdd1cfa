/** Networks: names, drivers and address ranges. */
import { SwarmError } from '../../../common/errors.ts';
import type { NetworkSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { IPAMConfig } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { networkHas, parseIpAddress, parseIpNetwork } from '../../placement/ip-network.ts';
import { validateDnsName } from './names.ts';
import { invalid } from './refusal.ts';

/** The only driver whose networks span nodes without a plugin. */
const OVERLAY = 'overlay';

export function validateNetworkSpec(spec: NetworkSpec | undefined): asserts spec is NetworkSpec {
  if (!spec) throw invalid('invalid argument: a network spec must be provided');
  validateDnsName(spec.annotations?.name ?? '');
  if (spec.ingress && spec.attachable) throw invalid('ingress network cannot be attachable');
  const driver = spec.driverConfig?.name || OVERLAY;
  if (driver !== OVERLAY) {
    throw invalid(`plugin ${JSON.stringify(driver)} not found: networks of a swarm have the driver ${OVERLAY}`);
  }
  const ipamDriver = spec.ipam?.driver?.name || 'default';
  if (ipamDriver !== 'default') {
    throw invalid(`error during lookup of plugin ${ipamDriver}`);
  }
  if (spec.configFrom) {
    throw new SwarmError(
      'unimplemented',
      `networks that take their configuration from another one (${spec.configFrom.value}) are not supported: give the options themselves`,
    );
  }
  for (const config of spec.ipam?.configs ?? []) validateIpamConfig(config);
}

function validateIpamConfig({ subnet, range, gateway }: IPAMConfig): void {
  const network = parseIpNetwork(subnet);
  if (!network) throw invalid(`ipam configuration: invalid subnet ${subnet}`);
  if (range !== '') {
    const inner = parseIpNetwork(range);
    if (!inner) throw invalid(`ipam configuration: invalid range ${range}`);
    if (!networkHas(network, inner.address)) {
      throw invalid(`ipam configuration: subnet ${subnet} does not contain range ${range}`);
    }
  }
  if (gateway !== '') {
    const address = parseIpAddress(gateway);
    if (!address) throw invalid(`ipam configuration: invalid gateway ${gateway}`);
    if (!networkHas(network, address)) {
      throw invalid(`ipam configuration: subnet ${subnet} does not contain gateway ${gateway}`);
    }
  }
}

/** Published ports of one service, looked at by themselves. */
import { EndpointSpec_ResolutionMode, type EndpointSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { PortConfig_PublishMode } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { invalid } from './refusal.ts';

const MAX_PORT = 65_535;

export function validateEndpointSpec(spec: EndpointSpec | undefined): void {
  if (!spec) return;
  const published = new Set<string>();
  for (const port of spec.ports) {
    if (spec.mode === EndpointSpec_ResolutionMode.DNSRR && port.publishMode === PortConfig_PublishMode.INGRESS) {
      throw invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode");
    }
    for (const number of [port.targetPort, port.publishedPort]) {
      if (!(number >= 0 && number <= MAX_PORT)) {
        throw invalid(`EndpointSpec: invalid port ${number}: ports go from 1 to ${MAX_PORT}`);
      }
    }
    if (port.publishedPort === 0) continue;
    const key = `${port.protocol}/${port.publishedPort}`;
    if (published.has(key)) throw invalid('EndpointSpec: duplicate published ports provided');
    published.add(key);
  }
}

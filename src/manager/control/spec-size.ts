/** How large a spec may be, so that whatever was created can be changed. */
import { EndpointSpec, ServiceSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { invalid } from './validation/refusal.ts';

/**
 * Bytes of an encoded service spec. A service is kept with its previous spec in one transaction of at most 1.5 MiB: this is
 * a little under the half of it.
 */
const MAX_SERVICE_SPEC_BYTES = 720 * 1024;

/** Throws invalidArgument. */
export function refuseTooLarge(spec: ServiceSpec): void {
  const specBytes = ServiceSpec.encode(spec).finish().length;
  // What is published is kept once more beside the spec.
  const endpointBytes = spec.endpoint ? EndpointSpec.encode(spec.endpoint).finish().length : 0;
  const bytes = specBytes + endpointBytes;
  if (bytes <= MAX_SERVICE_SPEC_BYTES) return;
  throw invalid(
    `the service spec takes ${bytes} bytes and may take ${MAX_SERVICE_SPEC_BYTES}: make it smaller, for example by moving data into configs`,
  );
}

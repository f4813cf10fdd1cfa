/** Cluster-wide settings. */
import { SwarmError } from '../../../common/errors.ts';
import { validateServiceLabels } from '../../../common/service-labels.ts';
import { msOfDuration } from '../../../common/time.ts';
import { sameValue } from '../../../common/same-value.ts';
import type { ClusterSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { clusterDefaults } from '../../../common/cluster-defaults.ts';
import { validateAuthority } from './authority.ts';
import { notNegative } from './durations.ts';
import { invalid } from './refusal.ts';

const MIN_CERT_EXPIRY_MS = 3_600_000;

/**
 * @param present the settings that hold now; undefined when the cluster is being made
 * @param nowMs what certificates are dated by
 */
export function validateClusterSpec(
  spec: ClusterSpec | undefined,
  present: ClusterSpec | undefined,
  nowMs: number,
): asserts spec is ClusterSpec {
  if (!spec) throw invalid('invalid argument: a cluster spec must be provided');
  if (spec.annotations?.name !== clusterDefaults.name)
    throw invalid(`swarm spec must be named "${clusterDefaults.name}"`);
  const expiry = spec.caConfig?.nodeCertExpiry;
  if (expiry && msOfDuration(expiry) < MIN_CERT_EXPIRY_MS) throw invalid('minimum certificate expiry time is: 1h0m0s');
  notNegative(spec.dispatcher?.heartbeatPeriod, 'heartbeat time period cannot be a negative duration');
  validateServiceLabels(spec.annotations.labels);
  refuseForeignAuthority(spec, present);
  if (spec.caConfig) validateAuthority(spec.caConfig, nowMs);
}

/** Certificates are issued by the cluster's own root; a setting that asks for another one must not be silently ignored. */
function refuseForeignAuthority(spec: ClusterSpec, present: ClusterSpec | undefined): void {
  const wanted = spec.caConfig;
  if (!wanted || sameValue(wanted.externalCas, present?.caConfig?.externalCas ?? [])) return;
  throw new SwarmError(
    'unimplemented',
    'external certificate authorities are not supported: leave ExternalCAs empty, certificates are issued by the managers',
  );
}

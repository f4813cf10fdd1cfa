/** Cluster-wide settings. */
import { validateServiceLabels } from '../../../common/service-labels.ts';
import { msOfDuration } from '../../../common/time.ts';
import type { ClusterSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { clusterDefaults } from '../../../common/cluster-defaults.ts';
import { validateAuthority } from './authority.ts';
import { notNegative } from './durations.ts';
import { invalid } from './refusal.ts';

const MIN_CERT_EXPIRY_MS = 3_600_000;

/** @param nowMs what certificates are dated by */
export function validateClusterSpec(spec: ClusterSpec | undefined, nowMs: number): asserts spec is ClusterSpec {
  if (!spec) throw invalid('invalid argument: a cluster spec must be provided');
  if (spec.annotations?.name !== clusterDefaults.name)
    throw invalid(`swarm spec must be named "${clusterDefaults.name}"`);
  const expiry = spec.caConfig?.nodeCertExpiry;
  if (expiry && msOfDuration(expiry) < MIN_CERT_EXPIRY_MS) throw invalid('minimum certificate expiry time is: 1h0m0s');
  notNegative(spec.dispatcher?.heartbeatPeriod, 'heartbeat time period cannot be a negative duration');
  validateServiceLabels(spec.annotations.labels);
  if (spec.caConfig) validateAuthority(spec.caConfig, nowMs);
}

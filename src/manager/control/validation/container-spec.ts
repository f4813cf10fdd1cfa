/** What may be said about a container. */
import { msOfDuration } from '../../../common/time.ts';
import type { ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { HealthConfig, Mount } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { notNegative } from './durations.ts';
import { validateFileReferences } from './file-references.ts';
import { isImageReference } from './image-reference.ts';
import { invalid } from './refusal.ts';
import { validateTemplates } from './templates.ts';

export function validateContainerSpec(container: ContainerSpec): void {
  if (container.image === '') throw invalid('ContainerSpec: image reference must be provided');
  if (!isImageReference(container.image)) {
    throw invalid(`ContainerSpec: ${JSON.stringify(container.image)} is not a valid repository/tag`);
  }
  validateMounts(container.mounts);
  validateHealthConfig(container.healthcheck);
  notNegative(container.stopGracePeriod, 'ContainerSpec: stop-grace-period cannot be negative');
  validateFileReferences(container);
  validateTemplates(container);
}

function validateMounts(mounts: readonly Mount[]): void {
  const targets = new Set<string>();
  for (const { target } of mounts) {
    if (targets.has(target)) throw invalid(`ContainerSpec: duplicate mount point: ${target}`);
    targets.add(target);
  }
}

const MIN_HEALTH_DURATION_MS = 1;

/** Zero stands for the default. */
function validateHealthConfig(health: HealthConfig | undefined): void {
  if (!health) return;
  const durations = {
    Interval: health.interval,
    Timeout: health.timeout,
    StartPeriod: health.startPeriod,
    StartInterval: health.startInterval,
  };
  for (const [name, duration] of Object.entries(durations)) {
    const ms = duration ? msOfDuration(duration) : 0;
    if (ms !== 0 && ms < MIN_HEALTH_DURATION_MS) {
      throw invalid(`ContainerSpec: ${name} in HealthConfig cannot be less than 1ms`);
    }
  }
  if (health.retries < 0) throw invalid('ContainerSpec: Retries in HealthConfig cannot be negative');
}

/** Restart policy and update behaviour. */
import type { RestartPolicy, UpdateConfig } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { notNegative } from './durations.ts';
import { invalid } from './refusal.ts';

export function validateRestartPolicy(policy: RestartPolicy | undefined): void {
  notNegative(policy?.delay, 'TaskSpec: restart-delay cannot be negative');
  notNegative(policy?.window, 'TaskSpec: restart-window cannot be negative');
  if (policy && policy.maxAttempts < 0) throw invalid('TaskSpec: restart-max-attempts cannot be negative');
}

/** Docker looks at the update behaviour only; what a rollback says beyond these limits counts as the limit. */
export function validateUpdateConfig(config: UpdateConfig | undefined): void {
  if (!config) return;
  notNegative(config.delay, 'TaskSpec: update-delay cannot be negative');
  notNegative(config.monitor, 'TaskSpec: update-monitor cannot be negative');
  if (config.parallelism < 0) throw invalid('TaskSpec: update-parallelism cannot be negative');
  if (!(config.maxFailureRatio >= 0 && config.maxFailureRatio <= 1)) {
    throw invalid('TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1');
  }
}

/** Whether a service spec makes sense by itself; what it refers to is checked against the store elsewhere. */
import { validateServiceLabels } from '../../../common/service-labels.ts';
import { SwarmError } from '../../../common/errors.ts';
import type { GenericRuntimeSpec, ServiceSpec, TaskSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { validateContainerSpec } from './container-spec.ts';
import { validateEndpointSpec } from './endpoint-spec.ts';
import { validateDnsName } from './names.ts';
import { validatePlacement } from './placement.ts';
import { invalid } from './refusal.ts';
import { validateResourceRequirements } from './resources.ts';
import { validateRestartPolicy, validateUpdateConfig } from './update-config.ts';

/** Throws invalidArgument, or unimplemented for runtimes that services cannot have. */
export function validateServiceSpec(spec: ServiceSpec | undefined): asserts spec is ServiceSpec {
  if (!spec) throw invalid('invalid argument: a service spec must be provided');
  validateDnsName(spec.annotations?.name ?? '');
  validateTaskSpec(spec.task);
  validateMode(spec);
  validateUpdateConfig(spec.update);
  validateEndpointSpec(spec.endpoint);
  validateServiceLabels(spec.annotations?.labels);
}

function validateTaskSpec(task: TaskSpec | undefined): void {
  if (!task?.runtime) throw invalid('TaskSpec: missing runtime');
  validateResourceRequirements(task.resources);
  validateRestartPolicy(task.restart);
  validatePlacement(task.placement);
  switch (task.runtime.$case) {
    case 'container':
      return validateContainerSpec(task.runtime.value);
    case 'generic':
      return validateGenericRuntime(task.runtime.value);
    case 'attachment':
      throw new SwarmError('unimplemented', 'RuntimeSpec: unimplemented runtime in service spec');
  }
}

const RESERVED_RUNTIMES = ['container', 'attachment'];
const MIN_RUNTIME_NAME = 3;

function validateGenericRuntime(generic: GenericRuntimeSpec): void {
  if (generic.kind.length < MIN_RUNTIME_NAME) {
    throw invalid(`Generic runtime: Invalid name ${JSON.stringify(generic.kind)}`);
  }
  if (RESERVED_RUNTIMES.includes(generic.kind)) {
    throw invalid(`Generic runtime: ${JSON.stringify(generic.kind)} is a reserved name`);
  }
  if (!generic.payload) throw invalid('Generic runtime is missing payload');
  if (generic.payload.typeUrl === '') throw invalid('Generic runtime is missing payload type');
}

/** Counts are unsigned on the wire; a client that sends a negative one means what it says, not 2^64 minus it. */
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function validateMode({ mode, update }: ServiceSpec): void {
  switch (mode?.$case) {
    case 'replicated':
      if (!isCount(mode.value.replicas)) throw invalid('Number of replicas must be non-negative');
      return;
    case 'global':
      return;
    case 'replicatedJob':
      if (!isCount(mode.value.maxConcurrent)) throw invalid('Maximum concurrent jobs must not be negative');
      if (!isCount(mode.value.totalCompletions)) throw invalid('Total completed jobs must not be negative');
      return refuseUpdateConfig(update !== undefined);
    case 'globalJob':
      return refuseUpdateConfig(update !== undefined);
    case undefined:
      throw invalid('unrecognized service mode: use replicated, global, replicated-job or global-job');
  }
}

function refuseUpdateConfig(isGiven: boolean): void {
  if (isGiven) throw invalid('Jobs may not have an update config');
}

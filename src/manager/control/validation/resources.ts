/** What a task may ask for and be limited to. */
import type {
  GenericResource,
  Resources,
  ResourceRequirements,
} from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { invalid } from './refusal.ts';

const MIN_NANO_CPUS = 1_000_000;
const MIN_MEMORY_BYTES = 4 * 1024 * 1024;

export function validateResourceRequirements(requirements: ResourceRequirements | undefined): void {
  if (!requirements) return;
  validateResources(requirements.limits);
  validateResources(requirements.reservations);
  const swappiness = requirements.memorySwappiness;
  if (swappiness !== undefined && (swappiness < -1 || swappiness > 100)) {
    throw invalid(`invalid memory swappiness value ${swappiness}: use 0 to 100, or -1 for the default`);
  }
}

function validateResources(resources: Resources | undefined): void {
  if (!resources) return;
  const { nanoCpus, memoryBytes, generic } = resources;
  if (nanoCpus !== 0 && nanoCpus < MIN_NANO_CPUS) {
    throw invalid(`invalid cpu value ${shortest(nanoCpus / 1e9)}: Must be at least 0.001`);
  }
  if (memoryBytes !== 0 && memoryBytes < MIN_MEMORY_BYTES) {
    throw invalid(`invalid memory value ${memoryBytes}: Must be at least 4MiB`);
  }
  for (const one of generic) validateGeneric(one);
}

/** A wish for one particular thing is kept, as Docker keeps it, but no node ever meets it: the scheduler chooses which. */
function validateGeneric({ resource }: GenericResource): void {
  if (!resource?.value.kind) throw invalid('invalid generic resource: its kind must be provided');
  if (resource.$case === 'discreteResourceSpec' && resource.value.value < 0) {
    throw invalid(`invalid value ${resource.value.value} for resource ${resource.value.kind}: it cannot be negative`);
  }
}

/** A number as Go prints it with %g: an exponent has at least two digits. */
const shortest = (value: number): string => String(value).replace(/e([+-])(\d)$/, 'e$10$2');

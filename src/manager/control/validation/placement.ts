/** Where tasks may run. */
import type { Placement } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { parseConstraints } from '../../placement/constraint.ts';
import { invalid } from './refusal.ts';

export function validatePlacement(placement: Placement | undefined): void {
  if (!placement) return;
  parseConstraints(placement.constraints);
  if (placement.maxReplicas < 0) throw invalid('TaskSpec: max replicas per node cannot be negative');
}

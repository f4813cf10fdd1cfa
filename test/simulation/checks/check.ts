/** What a check of invariants is. The numbers are those of the table in ../README.md. */
import type { Change } from '../../../src/manager/store/change.ts';
import type { World } from './world.ts';

/** Reports that an invariant does not hold, or that a swarm that is well makes no progress. */
export type Violate = (invariant: number | 'liveness', what: string) => void;

/** A check remembers what it needs of the past; it is given every commit once, in order. */
export interface Check {
  /** Looks at one commit; `world` holds its changes already. */
  observe(changes: readonly Change[], world: World): void;
}

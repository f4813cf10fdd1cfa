/** Notices when what the node says of itself changes (memory, labels, plugins): the manager hears it in a new session. */
import { sleep, type Clock } from '../common/clock.ts';
import { sameValue } from '../common/same-value.ts';
import type { NodeDescription } from '../proto/generated/docker/swarmkit/v1/types.ts';

/** How often the description is read again, in ms. */
const DESCRIPTION_INTERVAL_MS = 20_000;

export type Describe = () => Promise<NodeDescription>;

/** Resolves once `describe` says something other than `told`; rejects only with the signal's reason. */
export async function descriptionChanged(
  describe: Describe,
  told: NodeDescription,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(clock, DESCRIPTION_INTERVAL_MS, signal);
    const now = await describe().catch(() => undefined);
    if (now && !sameValue(now, told)) return;
  }
}

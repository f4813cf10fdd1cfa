/** Waiting, as the flags say. */
import { parseDurationMs } from '../../../common/time.ts';
import { textFlag, type CommandContext, type Flags } from '../../context.ts';
import { waitForService } from '../../progress.ts';
import type { ServiceObject } from '../../types.ts';

/** A new task counts as steady after this, unless the service says otherwise; shorter than Docker's 5 s, since nothing ends here by itself. */
const STEADY_MS = 1_000;

export async function waitUnlessDetached(
  { client, terminal }: CommandContext,
  id: string,
  flags: Flags,
  isDetached: boolean,
): Promise<void> {
  if (isDetached) return;
  const timeout = textFlag(flags, 'timeout');
  const service = await client.get<ServiceObject>(`/services/${id}`);
  const monitor = service.Spec.UpdateConfig?.Monitor;
  await waitForService(client, terminal, id, {
    timeoutMs: timeout === undefined ? undefined : parseDurationMs(timeout),
    steadyMs: monitor === undefined ? STEADY_MS : monitor / 1e6,
  });
}

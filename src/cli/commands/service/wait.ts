/** Waiting, as the flags say. */
import { Option, type Command } from 'commander';
import { textFlag, type CommandContext, type Flags } from '../../context.ts';
import { waitForService } from '../../progress.ts';
import type { ServiceObject } from '../../types.ts';
import { milliseconds } from '../../values.ts';

/** A new task counts as steady after this, unless the service says otherwise; shorter than Docker's 5 s, since nothing ends here by itself. */
const STEADY_MS = 1_000;

export const addWaitFlags = (command: Command): Command =>
  command
    .option('-d, --detach', 'do not wait until the service has settled')
    .addOption(new Option('--wait', 'wait until the service has settled (the default)').conflicts('detach'))
    .option('--timeout <duration>', 'longest to wait');

export async function waitUnlessDetached(
  { client, terminal }: CommandContext,
  id: string,
  flags: Flags,
  isDetached: boolean,
): Promise<void> {
  const timeoutMs = waitingTime(flags);
  if (isDetached) return;
  const service = await client.get<ServiceObject>(`/services/${id}`);
  const monitor = service.Spec.UpdateConfig?.Monitor;
  await waitForService(client, terminal, id, {
    timeoutMs,
    steadyMs: monitor === undefined ? STEADY_MS : monitor / 1e6,
  });
}

/** --timeout in ms. Throws a UsageError; call it before anything is changed. */
export function waitingTime(flags: Flags): number | undefined {
  const text = textFlag(flags, 'timeout');
  return text === undefined ? undefined : milliseconds('--timeout', text);
}

/** Task logs for clients of a manager that does not lead: the leader has them, where all agents are connected. */
import type {
  LogsClient,
  SubscribeLogsMessage,
  SubscribeLogsRequest,
} from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';

/** Ends with the leader's answer or with the signal; throws what the call throws. */
export async function* logsFromLeader(
  leader: LogsClient,
  request: SubscribeLogsRequest,
  signal: AbortSignal,
): AsyncIterable<SubscribeLogsMessage> {
  const call = leader.subscribeLogs(request);
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of call) yield message as SubscribeLogsMessage;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    call.cancel();
  }
}

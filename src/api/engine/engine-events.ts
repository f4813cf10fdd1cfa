/** Events of the container engine, one line each, as long as it tells them. Without them those of the swarm go on. */
import { createInterface } from 'node:readline';
import type { Logger } from '../../common/log.ts';
import { errorText } from '../../common/errors.ts';
import type { Engine, EngineCaller } from './engine.ts';

/**
 * Calls `onLine` for each event, one after the other, until the signal of the caller aborts or the engine ends the stream.
 * @param query of the client, with its leading "?", or empty
 */
export async function followEngineEvents(
  engine: Engine,
  query: string,
  caller: EngineCaller,
  log: Logger,
  onLine: (line: string) => Promise<void>,
): Promise<void> {
  try {
    const answer = await engine.open(`/events${query}`, caller);
    if ((answer.statusCode ?? 502) >= 400) {
      answer.resume();
      log.warn({ status: answer.statusCode }, 'the container engine tells no events');
      return;
    }
    answer.on('error', () => undefined);
    for await (const line of createInterface({ input: answer })) if (line !== '') await onLine(line);
  } catch (error) {
    if (!caller.signal.aborted) log.warn({ error: errorText(error) }, 'the container engine tells no events');
  }
}

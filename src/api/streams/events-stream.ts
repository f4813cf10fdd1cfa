/** `GET /events`: what happened since a moment, then what happens, until a moment or until the client leaves. */
import type { Clock } from '../../common/clock.ts';
import { parseFilters } from '../filters.ts';
import { badRequest } from '../http-error.ts';
import { stringify } from '../json/stringify.ts';
import { queryText, type Query } from '../query.ts';
import { timeToNanos } from '../docker/values.ts';
import type { EventBus } from './event-bus.ts';
import { matchesEvent } from './event-filter.ts';
import { eventToDocker, type ClusterEvent } from './event.ts';
import { parseTimeBound } from './time-bound.ts';

/** Events that may wait for a slow client before it is cut off. */
const QUEUE_LIMIT = 10_000;
const NANOS_PER_MS = 1_000_000n;

export interface EventRequest {
  /** Undefined with an end: all that is known; without one: no past events are wanted. */
  readonly sinceNanos: bigint | undefined;
  readonly untilNanos: bigint | undefined;
  readonly matches: (event: ClusterEvent) => boolean;
}

/** Throws HttpError. */
export function parseEventRequest(query: Query): EventRequest {
  const [since, until] = [queryText(query, 'since'), queryText(query, 'until')];
  const [sinceNanos, untilNanos] = [since, until].map((text) => {
    const bound = parseTimeBound(text);
    return bound && timeToNanos(bound);
  });
  if (sinceNanos !== undefined && untilNanos !== undefined && sinceNanos > untilNanos) {
    throw badRequest(`\`since\` time (${since}) cannot be after \`until\` time (${until})`);
  }
  // As Docker does, other keys are taken without effect.
  const filters = parseFilters(query);
  return {
    sinceNanos,
    untilNanos,
    matches: (event) => matchesEvent(filters, event),
  };
}

/** Lines of JSON. Ends at `until`, when the signal aborts, or when the reader is too slow. */
export async function* eventLines(
  bus: EventBus,
  request: EventRequest,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { sinceNanos, untilNanos, matches } = request;
  const queue: ClusterEvent[] = [];
  let wake = (): void => undefined;
  let isOver = signal.aborted;
  const finish = (): void => {
    isOver = true;
    wake();
  };
  const offer = (event: ClusterEvent): void => {
    if (!matches(event) || (untilNanos !== undefined && event.timeNanos > untilNanos)) return;
    if (queue.push(event) > QUEUE_LIMIT) finish();
    wake();
  };
  const unsubscribe = bus.subscribe(offer);
  signal.addEventListener('abort', finish, { once: true });
  const remainingMs = untilNanos === undefined ? undefined : Number(untilNanos / NANOS_PER_MS) - clock.now();
  const cancelTimer = remainingMs === undefined ? undefined : clock.setTimer(Math.max(0, remainingMs), finish);
  if (sinceNanos !== undefined || untilNanos !== undefined) {
    for (const event of bus.kept) if (event.timeNanos >= (sinceNanos ?? 0n)) offer(event);
  }
  try {
    // An end in the past leaves nothing to wait for.
    if (remainingMs !== undefined && remainingMs <= 0) isOver = true;
    for (;;) {
      for (let event = queue.shift(); event && !signal.aborted; event = queue.shift()) {
        yield `${stringify(eventToDocker(event))}\n`;
      }
      if (isOver) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (queue.length > 0 || isOver) resolve();
      });
    }
  } finally {
    unsubscribe();
    cancelTimer?.();
    signal.removeEventListener('abort', finish);
  }
}

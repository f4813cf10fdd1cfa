/** /events: those of the swarm, and beside them those of this node's container engine. */
import { queryOf, type ApiContext } from '../context.ts';
import { followEngineEvents } from '../engine/engine-events.ts';
import type { Router } from '../http/router.ts';
import { eventLines, parseEventRequest } from '../streams/events-stream.ts';
import { openStream } from '../streams/raw-stream.ts';

export function registerEvents(app: Router, context: ApiContext): void {
  const { engine, events, ports } = context;
  app.get('/events', async (request, reply) => {
    const asked = parseEventRequest(queryOf(request));
    const stream = openStream(reply, 'application/json');
    const query = /\?.*$/.exec(request.originalUrl)?.[0] ?? '';
    const theirs = engine
      ? followEngineEvents(engine, query, request, ports.log, (line) => stream.write(`${line}\n`))
      : Promise.resolve();
    for await (const line of eventLines(events, asked, ports.clock, request.signal)) await stream.write(line);
    // Without an end in time, ours end because the client left or is too slow.
    if (asked.untilNanos !== undefined) await theirs;
    stream.end();
  });
}

/** /events */
import { queryOf, type ApiContext } from '../context.ts';
import type { Router } from '../http/router.ts';
import { eventLines, parseEventRequest } from '../streams/events-stream.ts';
import { openStream } from '../streams/raw-stream.ts';

export function registerEvents(app: Router, context: ApiContext): void {
  app.get('/events', async (request, reply) => {
    const asked = parseEventRequest(queryOf(request));
    const stream = openStream(reply, 'application/json');
    for await (const line of eventLines(context.events, asked, context.ports.clock, request.gone)) {
      await stream.write(line);
    }
    stream.end();
  });
}

/** How many requests there are and how long they take, by route. Streams count when they end. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Histogram, type Registry } from 'prom-client';
import type { Clock } from '../common/clock.ts';

const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** Returns what to call when a request arrives, which returns what to call when its answer has been sent. */
export function requestMetrics(
  registry: Registry,
  clock: Clock,
): (request: IncomingMessage) => (response: ServerResponse, route: string | undefined) => void {
  const durations = new Histogram({
    name: 'swarmd_api_request_seconds',
    help: 'Time to answer a request of the HTTP API, by method, route and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  return ({ method = 'GET' }) => {
    const start = clock.monotonic();
    return ({ statusCode }, route = 'none') =>
      durations.observe({ method, route, status: String(statusCode) }, (clock.monotonic() - start) / 1000);
  };
}

/** How many requests there are and how long they take, by route. Streams count when they end. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Histogram, type Registry } from 'prom-client';
import type { Clock } from '../common/clock.ts';

const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** Returns what to call at the start of each request. */
export function requestMetrics(
  registry: Registry,
  clock: Clock,
): (request: FastifyRequest, reply: FastifyReply) => void {
  const durations = new Histogram({
    name: 'swarmd_api_request_seconds',
    help: 'Time to answer a request of the HTTP API, by method, route and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  return (request, reply) => {
    const start = clock.monotonic();
    reply.raw.once('close', () => {
      const route = request.routeOptions.url ?? 'none';
      const labels = { method: request.method, route, status: String(reply.raw.statusCode) };
      durations.observe(labels, (clock.monotonic() - start) / 1000);
    });
  };
}

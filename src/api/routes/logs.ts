/** /services/{id}/logs and /tasks/{id}/logs */
import type { TaskSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { LogSelector } from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import { pathPart, queryOf, readSwarm, type ApiContext } from '../context.ts';
import type { ApiReply } from '../http/reply.ts';
import type { ApiRequest } from '../http/request.ts';
import type { Router } from '../http/router.ts';
import { findService, findTask } from '../lookup.ts';
import type { Swarm } from '../ports.ts';
import { logChunks, logsContentType, parseLogsRequest, type LogsOutput } from '../streams/logs-stream.ts';
import { openStream } from '../streams/raw-stream.ts';

const noneSelected: LogSelector = { serviceIds: [], nodeIds: [], taskIds: [] };

export function registerLogs(app: Router, context: ApiContext): void {
  app.get('/services/:id/logs', (request, reply) =>
    sendLogs(context, request, reply, (swarm, key) => {
      const service = findService(swarm.store.read, key);
      return { tty: hasTerminal(service.spec?.task), selector: { ...noneSelected, serviceIds: [service.id] } };
    }),
  );

  app.get('/tasks/:id/logs', (request, reply) =>
    sendLogs(context, request, reply, (swarm, key) => {
      const task = findTask(swarm.store.read, key);
      return { tty: hasTerminal(task.spec), selector: { ...noneSelected, taskIds: [task.id] } };
    }),
  );
}

const hasTerminal = (spec: TaskSpec | undefined): boolean =>
  spec?.runtime?.$case === 'container' && spec.runtime.value.tty;

async function sendLogs(
  context: ApiContext,
  request: ApiRequest,
  reply: ApiReply,
  select: (swarm: Swarm, key: string) => LogsOutput,
): Promise<void> {
  const asked = parseLogsRequest(queryOf(request));
  const swarm = await readSwarm(context, request);
  const { tty, selector } = select(swarm, pathPart(request, 'id'));
  const stream = openStream(reply, logsContentType(tty, request.apiMinor));
  const messages = swarm.subscribeLogs({ selector, options: asked.options }, request.signal);
  for await (const chunk of logChunks(messages, tty, asked)) {
    if (request.signal.aborted) return;
    await stream.write(chunk);
  }
  stream.end();
}

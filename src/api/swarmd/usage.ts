/** GET /swarmd/usage: what running tasks use of their nodes now. Tasks whose node does not report are left out. */
import { readSwarm, sendJson, type ApiContext } from '../context.ts';
import { viaRpc } from '../http-error.ts';
import type { Router } from '../http/router.ts';

export function registerUsage(app: Router, context: ApiContext): void {
  app.get('/swarmd/usage', async (request, reply) => {
    const swarm = await readSwarm(context, request);
    const usages = await viaRpc(swarm.taskUsage(request.signal));
    const shown = usages.map(({ taskId, nanoCpus, memoryBytes, pids }) => ({
      TaskID: taskId,
      NanoCPUs: nanoCpus,
      MemoryBytes: memoryBytes,
      PIDs: pids,
    }));
    return sendJson(reply, 200, shown);
  });
}

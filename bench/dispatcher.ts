/**
 * How much the dispatcher carries in one process over real gRPC: registrations, tasks handed out, statuses stored.
 * `npm run bench:dispatcher -- [--nodes N] [--tasks N] [--json]`. Agents and manager share the process, and each entry of
 * the log commits at once, so the figures compare versions of this code; they are no promise for a cluster.
 */
import { parseArgs } from 'node:util';
import { aTask, dispatcherRig } from '../test/support/dispatcher-rig.ts';
import { DirectAgent } from '../test/support/direct-agent.ts';
import { eventually } from '../test/support/eventually.ts';
import { TaskState, TaskStatus } from '../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { CallContext } from '../src/common/rpc.ts';
import { unary } from '../src/common/rpc-client.ts';
import type { FakeAgent } from '../test/support/fake-agent.ts';
import { callAs } from '../test/support/rpc-rig.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100' },
    tasks: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
  },
});
const nodes = Number(values.nodes);
const tasks = Number(values.tasks);

// Nobody beats while something else is measured.
const rig = await dispatcherRig({ heartbeatPeriodMs: 600_000 });
const ids = Array.from({ length: nodes }, (_, i) => `node${i}`);
for (const id of ids) await rig.addNode(id);
rig.lead();

interface Result {
  readonly what: string;
  readonly count: number;
  readonly ms: number;
  readonly perSecond: number;
}
const results: Result[] = [];
async function measure(what: string, count: number, work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  results.push({ what, count, ms: Math.round(ms), perSecond: Math.round((count / ms) * 1000) });
}

const agents = ids.map((id) => rig.agent(id));
await measure('registrations with their first assignments', nodes, () =>
  Promise.all(
    agents.map(async (agent) => {
      await agent.register();
      await agent.open();
    }),
  ),
);

await measure('heartbeats', nodes * 20, () =>
  Promise.all(
    agents.map(async (agent) => {
      for (let i = 0; i < 20; i++) await agent.beat();
    }),
  ),
);

const { methods } = rig.dispatcher;
const contexts = agents.map((agent) => new DirectAgent(rig.dispatcher, agent.nodeId).context);
await measure('heartbeats, without the wire', nodes * 200, async () => {
  for (let i = 0; i < 200; i++) {
    for (const [n, { sessionId }] of agents.entries()) {
      await methods.heartbeat.handle({ sessionId }, contexts[n] as CallContext);
    }
  }
});

await measure('tasks handed out', tasks, async () => {
  const numbers = Array.from({ length: tasks }, (_, i) => i);
  await rig.store.batch(numbers, (tx, i) => tx.task.create(aTask(`task${i}`, ids[i % nodes] as string)));
  await eventually(() => agents.reduce((sum, agent) => sum + agent.assigned.size, 0) === tasks, 120_000);
});

const entriesBefore = rig.entries.length;
await measure('statuses stored, one per call, without the wire', tasks, async () => {
  for (let i = 0; i < tasks; i++) {
    const { sessionId } = agents[i % nodes] as FakeAgent;
    const status = TaskStatus.fromPartial({ state: TaskState.STARTING });
    const request = { sessionId, updates: [{ taskId: `task${i}`, status }] };
    await methods.updateTaskStatus.handle(request, contexts[i % nodes] as CallContext);
  }
  await eventually(() => rig.store.read.task.all().every((task) => task.status?.state === TaskState.STARTING), 120_000);
});
const entries = rig.entries.length - entriesBefore;

await measure('statuses stored, all of a node in one call', tasks, async () => {
  await Promise.all(
    agents.map(async (agent, n) => {
      const updates = [];
      for (let i = n; i < tasks; i += nodes) {
        updates.push({ taskId: `task${i}`, status: TaskStatus.fromPartial({ state: TaskState.RUNNING }) });
      }
      const call = agent.client.updateTaskStatus.bind(agent.client) as never;
      await unary(call, { sessionId: agent.sessionId, updates }, { timeoutMs: 60_000, metadata: callAs(agent.nodeId) });
    }),
  );
  await eventually(() => rig.store.read.task.all().every((task) => task.status?.state === TaskState.RUNNING), 120_000);
});

if (values.json) console.log(JSON.stringify({ nodes, tasks, results, entries }));
else {
  console.log(`${nodes} nodes, ${tasks} tasks`);
  for (const { what, count, ms, perSecond } of results) {
    console.log(`${what.padEnd(46)} ${String(count).padStart(7)} in ${String(ms).padStart(6)} ms  ${perSecond}/s`);
  }
  console.log(`log entries for the single statuses: ${entries}`);
}
await rig.close();
process.exit(agents.some((agent) => agent.faults.length > 0) ? 1 : 0);

/** What the daemon shows Prometheus: Docker's own names where it has them, `swarmd_…` for the rest. Read when scraped, kept nowhere. */
import { Gauge, type Registry } from 'prom-client';
import { VERSION } from '../common/version.ts';
import { NodeStatus_State, TaskState } from '../proto/generated/docker/swarmkit/v1/types.ts';
import type { SwarmNode } from './swarm-node.ts';

const lower = (name: string): string => name.toLowerCase();
const namesOf = (states: Readonly<Record<string, number>>): readonly (readonly [string, number])[] =>
  Object.entries(states).filter(([name]) => name !== 'UNRECOGNIZED');

export function registerMetrics(registry: Registry, node: SwarmNode): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const store = () => node.manager?.store.read;
  const consensus = () => (node.manager ? node.manager.consensus : undefined);

  new Gauge({
    name: 'swarmd_build_info',
    help: 'Version of this daemon',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: VERSION }, 1);
  gauge('swarm_node_manager', 'Whether this node is a manager', () => (node.manager ? 1 : 0));
  gauge('swarm_manager_leader', 'Whether this manager leads', () => (node.manager?.isLeader ? 1 : 0));
  gauge('swarm_manager_services_total', 'Services in the swarm', () => store()?.service.size ?? 0);
  gauge('swarm_manager_networks_total', 'Networks in the swarm', () => store()?.network.size ?? 0);
  gauge('swarm_manager_secrets_total', 'Secrets in the swarm', () => store()?.secret.size ?? 0);
  gauge('swarm_manager_configs_total', 'Configs in the swarm', () => store()?.config.size ?? 0);
  new Gauge({
    name: 'swarm_manager_nodes',
    help: 'Nodes in the swarm by state',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [name, value] of namesOf(NodeStatus_State)) {
        this.set(
          { state: lower(name) },
          store()
            ?.node.all()
            .filter((n) => (n.status?.state ?? 0) === value).length ?? 0,
        );
      }
    },
  });
  new Gauge({
    name: 'swarm_manager_tasks_total',
    help: 'Tasks in the swarm by state',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const counts = new Map<number, number>();
      for (const task of store()?.task.all() ?? []) {
        const state = task.status?.state ?? 0;
        counts.set(state, (counts.get(state) ?? 0) + 1);
      }
      for (const [name, value] of namesOf(TaskState)) this.set({ state: lower(name) }, counts.get(value) ?? 0);
    },
  });
  gauge('swarmd_raft_term', 'Current raft term', () => consensus()?.term ?? 0);
  gauge('swarmd_raft_commit_index', 'Last committed log entry', () => consensus()?.commitIndex ?? 0);
  gauge('swarmd_raft_applied_index', 'Last applied log entry', () => node.manager?.store.version ?? 0);
  gauge('swarmd_raft_members', 'Members of the consensus group', () => node.manager?.members.length ?? 0);
  gauge('swarmd_raft_fsyncs', 'Disk syncs of the raft log since the start', () => consensus()?.logStats.fsyncs ?? 0);
  gauge(
    'swarmd_raft_log_written_bytes',
    'Bytes written to the raft log since the start',
    () => consensus()?.logStats.bytesWritten ?? 0,
  );
  gauge(
    'swarmd_raft_log_repairs',
    'How often this manager gave up a damaged log and joined the others anew',
    () => node.info().repair?.count ?? 0,
  );
  gauge('swarmd_node_locked', 'Whether this manager waits for the unlock key', () =>
    node.info().state === 'locked' ? 1 : 0,
  );
  gauge(
    'swarmd_raft_log_check_timestamp_seconds',
    'When the raft log at rest was last checked; 0 before the first time',
    () => (consensus()?.logCheck.last?.checkedAtMs ?? 0) / 1000,
  );
  gauge('swarmd_raft_log_damaged', 'Whether the last check of the raft log found damage', () =>
    consensus()?.logCheck.last?.damage ? 1 : 0,
  );
  gauge(
    'swarmd_store_proposals_in_flight',
    'Changes on their way into the log',
    () => node.manager?.store.proposalsInFlight ?? 0,
  );
  gauge(
    'swarmd_dispatcher_sessions',
    'Agents registered with this leader',
    () => node.manager?.dispatcherLoad.sessions ?? 0,
  );
  gauge('swarmd_agent_tasks', 'Tasks on this node', () => node.agent?.state.tasks ?? 0);
  gauge('swarmd_agent_connected', 'Whether the agent has a session with a manager', () =>
    node.agent?.state.isConnected ? 1 : 0,
  );
}

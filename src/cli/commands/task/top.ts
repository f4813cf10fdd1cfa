/** `top`: running tasks and what they use of their nodes at the moment, the busiest first. */
import type { Command } from 'commander';
import { action, addListOptions, addWatch, collect, isSet, listFlag, type CommandContext } from '../../context.ts';
import { shortId, type Listing } from '../../output.ts';
import { bytesText } from '../../quantities.ts';
import type { Terminal } from '../../terminal.ts';
import { hostnameOf, type NodeObject, type ServiceObject, type TaskObject } from '../../types.ts';
import { filters } from '../../values.ts';
import { showListing } from '../../watch/watch-listing.ts';

/** The agents report this often. */
const REFRESH_MS = 1_000;
/** Shown for tasks on nodes that do not report, as Docker Engines that run no agent of ours. */
const UNKNOWN = '-';

/** As `/swarmd/usage` gives it. */
interface UsageObject {
  readonly TaskID: string;
  /** Processor time per second in ns. */
  readonly NanoCPUs: number;
  readonly MemoryBytes: number;
  readonly PIDs: number;
}

interface TopRow {
  readonly ID: string;
  readonly Name: string;
  readonly ServiceID: string;
  readonly NodeID: string;
  readonly Node: string;
  /** null when the node does not report. */
  readonly Usage: Omit<UsageObject, 'TaskID'> | null;
  /** 0 when there is none. */
  readonly MemoryLimitBytes: number;
}

async function loadTop({ client, output }: CommandContext, wanted: readonly string[]): Promise<Listing<TopRow>> {
  const [usages, tasks, services, nodes] = await Promise.all([
    client.get<readonly UsageObject[]>('/swarmd/usage'),
    client.get<readonly TaskObject[]>('/tasks', { filters: filters(wanted) }),
    client.get<readonly ServiceObject[]>('/services'),
    client.get<readonly NodeObject[]>('/nodes'),
  ]);
  const usageOf = new Map(usages.map(({ TaskID, ...usage }) => [TaskID, usage]));
  const serviceNames = new Map(services.map((service) => [service.ID, service.Spec.Name]));
  const hostnames = new Map(nodes.map((node) => [node.ID, hostnameOf(node)]));
  const rows = tasks
    .filter((task) => task.Status.State === 'running')
    .map((task): TopRow => {
      const nodeId = task.NodeID ?? '';
      return {
        ID: task.ID,
        Name: `${serviceNames.get(task.ServiceID) ?? task.ServiceID}.${task.Slot ?? nodeId}`,
        ServiceID: task.ServiceID,
        NodeID: nodeId,
        Node: hostnames.get(nodeId) || nodeId,
        Usage: usageOf.get(task.ID) ?? null,
        MemoryLimitBytes: task.Spec.Resources?.Limits?.MemoryBytes ?? 0,
      };
    });
  return {
    items: rows.toSorted(
      (a, b) =>
        (b.Usage?.NanoCPUs ?? -1) - (a.Usage?.NanoCPUs ?? -1) ||
        a.Name.localeCompare(b.Name, undefined, { numeric: true }),
    ),
    id: ({ ID }) => ID,
    name: ({ Name, ID }) => `${Name}.${ID}`,
    columns: [
      { header: 'ID', value: ({ ID }) => shortId(ID, output) },
      { header: 'NAME', value: ({ Name }) => Name },
      { header: 'NODE', value: ({ Node }) => Node },
      { header: 'CPU', value: ({ Usage }) => (Usage ? cpuText(Usage.NanoCPUs) : UNKNOWN) },
      { header: 'MEMORY', value: ({ Usage }) => (Usage ? bytesText(Usage.MemoryBytes) : UNKNOWN) },
      { header: 'LIMIT', value: ({ MemoryLimitBytes }) => (MemoryLimitBytes ? bytesText(MemoryLimitBytes) : UNKNOWN) },
      { header: 'PIDS', value: ({ Usage }) => (Usage ? String(Usage.PIDs) : UNKNOWN) },
    ],
  };
}

/** Of one processor, as `docker stats` counts. */
const cpuText = (nanoCpus: number): string => `${(nanoCpus / 1e7).toFixed(1)}%`;

export function topCommand(program: Command, terminal: Terminal): void {
  const command = addWatch(
    addListOptions(
      program.command('top [services...]').description('Show what running tasks use of processor and memory'),
    ).option('--node <node>', 'only tasks on this node; may be repeated', collect),
  );
  action(command, terminal, 'table', (context, services, flags) => {
    const wanted = [
      ...services.map((service) => `service=${service}`),
      ...(listFlag(flags, 'node') ?? []).map((node) => `node=${node}`),
      'desired-state=running',
      ...(listFlag(flags, 'filter') ?? []),
    ];
    return showListing(context, isSet(flags, 'watch'), {
      kinds: ['task', 'service', 'node'],
      everyMs: REFRESH_MS,
      load: () => loadTop(context, wanted),
    });
  });
}

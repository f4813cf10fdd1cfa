import type { Command } from 'commander';
import { action, addListOptions, addWatch, isSet, listFlag, type CommandContext } from '../../context.ts';
import type { Listing } from '../../output.ts';
import { bytesText, cpusText, labelsText } from '../../quantities.ts';
import type { Terminal } from '../../terminal.ts';
import { hostnameOf, type InfoObject, type NodeObject } from '../../types.ts';
import { filters } from '../../values.ts';
import { showListing } from '../../watch/watch-listing.ts';

export function nodeList(parent: Command, terminal: Terminal): void {
  const command = addWatch(
    addListOptions(parent.command('ls').alias('list').description('List the nodes of the swarm')),
  );
  action(command, terminal, 'table', (context, _args, flags) =>
    showListing(context, isSet(flags, 'watch'), {
      kinds: ['node'],
      load: () => loadNodes(context, listFlag(flags, 'filter')),
    }),
  );
}

async function loadNodes(
  { client }: CommandContext,
  wanted: readonly string[] | undefined,
): Promise<Listing<NodeObject>> {
  const [nodes, info] = await Promise.all([
    client.get<readonly NodeObject[]>('/nodes', { filters: filters(wanted) }),
    client.get<InfoObject>('/info'),
  ]);
  return {
    items: [...nodes].sort((a, b) => hostnameOf(a).localeCompare(hostnameOf(b), undefined, { numeric: true })),
    id: (n) => n.ID,
    name: hostnameOf,
    columns: [
      { header: 'ID', value: (n) => `${n.ID}${n.ID === info.Swarm.NodeID ? ' *' : ''}` },
      { header: 'HOSTNAME', value: hostnameOf },
      {
        header: 'STATUS',
        value: (n) => n.Status.State,
        style: (n) => (n.Status.State === 'ready' ? 'green' : 'red'),
      },
      {
        header: 'AVAILABILITY',
        value: (n) => n.Spec.Availability,
        style: (n) => (n.Spec.Availability === 'active' ? undefined : 'yellow'),
      },
      {
        header: 'MANAGER STATUS',
        value: (n) => (n.ManagerStatus?.Leader ? 'leader' : (n.ManagerStatus?.Reachability ?? '')),
        style: (n) => (n.ManagerStatus?.Reachability === 'unreachable' ? 'red' : undefined),
      },
      { header: 'VERSION', value: (n) => n.Description?.Engine?.EngineVersion ?? '' },
      { header: 'ADDRESS', value: (n) => n.ManagerStatus?.Addr ?? n.Status.Addr ?? '', isWide: true },
      { header: 'PLATFORM', value: platformOf, isWide: true },
      { header: 'CPUS', value: ({ Description }) => cpusText(Description?.Resources?.NanoCPUs), isWide: true },
      { header: 'MEMORY', value: ({ Description }) => bytesText(Description?.Resources?.MemoryBytes), isWide: true },
      { header: 'LABELS', value: (n) => labelsText(n.Spec.Labels), isWide: true },
      { header: 'MESSAGE', value: (n) => n.Status.Message ?? '', isWide: true },
    ],
  };
}

const platformOf = ({ Description }: NodeObject): string =>
  [Description?.Platform?.OS, Description?.Platform?.Architecture].filter((part) => part).join('/');

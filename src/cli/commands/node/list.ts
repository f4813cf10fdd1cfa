import type { Command } from 'commander';
import { action, addListOptions, listFlag } from '../../context.ts';
import { printList, shortId, type Terminal } from '../../output.ts';
import type { InfoObject, NodeObject } from '../../types.ts';
import { filters } from '../../values.ts';

export function nodeList(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ls').alias('list').description('List the nodes of the swarm'));
  action(command, terminal, 'table', async ({ client, output }, _args, flags) => {
    const [nodes, info] = await Promise.all([
      client.get<readonly NodeObject[]>('/nodes', { filters: filters(listFlag(flags, 'filter')) }),
      client.get<InfoObject>('/info'),
    ]);
    const items = [...nodes].sort((a, b) => a.Description.Hostname.localeCompare(b.Description.Hostname));
    printList(
      terminal,
      {
        items,
        id: (n) => n.ID,
        name: (n) => n.Description.Hostname,
        columns: [
          {
            header: 'ID',
            value: (n) => `${shortId(n.ID, { noTrunc: true })}${n.ID === info.Swarm.NodeID ? ' *' : ''}`,
          },
          { header: 'HOSTNAME', value: (n) => n.Description.Hostname },
          { header: 'STATUS', value: (n) => n.Status.State },
          { header: 'AVAILABILITY', value: (n) => n.Spec.Availability },
          {
            header: 'MANAGER STATUS',
            value: (n) => (n.ManagerStatus?.Leader ? 'leader' : (n.ManagerStatus?.Reachability ?? '')),
          },
          { header: 'VERSION', value: (n) => n.Description.Engine.EngineVersion },
        ],
      },
      output,
    );
  });
}

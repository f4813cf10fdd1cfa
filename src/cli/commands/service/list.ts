import type { Command } from 'commander';
import { action, addListOptions, listFlag } from '../../context.ts';
import { printList, shortId, type Terminal } from '../../output.ts';
import type { PortObject, ServiceObject } from '../../types.ts';
import { filters } from '../../values.ts';

const modeOf = (service: ServiceObject): string => {
  const { Replicated, Global, ReplicatedJob } = service.Spec.Mode;
  if (Replicated) return 'replicated';
  if (Global) return 'global';
  return ReplicatedJob ? 'replicated-job' : 'global-job';
};

const portText = ({ PublishedPort, TargetPort, Protocol }: PortObject): string =>
  `*:${PublishedPort ?? '?'}->${TargetPort}/${Protocol}`;

export function serviceList(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ls').alias('list').description('List the services'));
  action(command, terminal, 'table', async ({ client, output }, _args, flags) => {
    const services = await client.get<readonly ServiceObject[]>('/services', {
      status: true,
      filters: filters(listFlag(flags, 'filter')),
    });
    printList(
      terminal,
      {
        items: [...services].sort((a, b) => a.Spec.Name.localeCompare(b.Spec.Name, undefined, { numeric: true })),
        id: (s) => s.ID,
        name: (s) => s.Spec.Name,
        columns: [
          { header: 'ID', value: (s) => shortId(s.ID, output) },
          { header: 'NAME', value: (s) => s.Spec.Name },
          { header: 'MODE', value: modeOf },
          {
            header: 'REPLICAS',
            value: (s) => `${s.ServiceStatus?.RunningTasks ?? 0}/${s.ServiceStatus?.DesiredTasks ?? 0}`,
          },
          { header: 'IMAGE', value: (s) => s.Spec.TaskTemplate.ContainerSpec.Image },
          { header: 'PORTS', value: (s) => (s.Endpoint?.Ports ?? []).map(portText).join(', ') },
          { header: 'UPDATE', value: (s) => s.UpdateStatus?.State ?? '' },
        ],
      },
      output,
    );
  });
}

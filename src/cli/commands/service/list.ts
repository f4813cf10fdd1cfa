import type { Command } from 'commander';
import { action, addListOptions, addWatch, isSet, listFlag, type CommandContext, type Flags } from '../../context.ts';
import { ago, shortId, type Listing } from '../../output.ts';
import { bytesText, cpusText, labelsText } from '../../quantities.ts';
import type { Terminal } from '../../terminal.ts';
import type { PortObject, ServiceObject } from '../../types.ts';
import { filters } from '../../values.ts';
import { showListing } from '../../watch/watch-listing.ts';

const modeOf = (service: ServiceObject): string => {
  const { Replicated, Global, ReplicatedJob } = service.Spec.Mode;
  if (Replicated) return 'replicated';
  if (Global) return 'global';
  return ReplicatedJob ? 'replicated-job' : 'global-job';
};

const portText = ({ PublishedPort, TargetPort, Protocol }: PortObject): string =>
  `*:${PublishedPort ?? '?'}->${TargetPort}/${Protocol}`;

export function serviceList(parent: Command, terminal: Terminal): void {
  const command = addWatch(addListOptions(parent.command('ls').alias('list').description('List the services')));
  action(command, terminal, 'table', (context, _args, flags) =>
    showServices(context, flags, listFlag(flags, 'filter')),
  );
}

/** Lists services that match filters, once or with --watch. */
export const showServices = (
  context: CommandContext,
  flags: Flags,
  wanted: readonly string[] | undefined,
): Promise<void> =>
  showListing(context, isSet(flags, 'watch'), {
    kinds: ['service', 'task', 'node'],
    load: () => loadServices(context, wanted),
  });

const running = (s: ServiceObject): number => s.ServiceStatus?.RunningTasks ?? 0;
/** "0/2", and for a job also how far it has come. */
const replicas = (s: ServiceObject): string => {
  const { ReplicatedJob, GlobalJob } = s.Spec.Mode;
  const counts = `${running(s)}/${desired(s)}`;
  if (!ReplicatedJob && !GlobalJob) return counts;
  const completed = s.ServiceStatus?.CompletedTasks ?? 0;
  return `${counts} (${completed}/${ReplicatedJob?.TotalCompletions ?? completed + desired(s)} completed)`;
};
const isShort = (s: ServiceObject): boolean => !s.JobStatus && running(s) < desired(s);
const desired = (s: ServiceObject): number => s.ServiceStatus?.DesiredTasks ?? 0;

async function loadServices(
  { client, output }: CommandContext,
  wanted: readonly string[] | undefined,
): Promise<Listing<ServiceObject>> {
  const services = await client.get<readonly ServiceObject[]>('/services', { status: true, filters: filters(wanted) });
  return {
    items: [...services].sort((a, b) => a.Spec.Name.localeCompare(b.Spec.Name, undefined, { numeric: true })),
    id: (s) => s.ID,
    name: (s) => s.Spec.Name,
    columns: [
      { header: 'ID', value: (s) => shortId(s.ID, output) },
      { header: 'NAME', value: (s) => s.Spec.Name },
      { header: 'MODE', value: modeOf },
      {
        header: 'REPLICAS',
        value: replicas,
        style: (s) => (isShort(s) ? 'yellow' : undefined),
      },
      { header: 'IMAGE', value: (s) => s.Spec.TaskTemplate.ContainerSpec.Image },
      { header: 'PORTS', value: (s) => (s.Endpoint?.Ports ?? []).map(portText).join(', ') },
      { header: 'UPDATE', value: (s) => s.UpdateStatus?.State ?? '' },
      { header: 'COMMAND', value: commandOf, isWide: true },
      {
        header: 'CONSTRAINTS',
        value: (s) => (s.Spec.TaskTemplate.Placement?.Constraints ?? []).join(' '),
        isWide: true,
      },
      { header: 'RESERVED', value: reservedOf, isWide: true },
      { header: 'LABELS', value: (s) => labelsText(s.Spec.Labels), isWide: true },
      { header: 'AGE', value: (s) => ago(s.CreatedAt), isClock: true, isWide: true },
    ],
  };
}

const commandOf = ({ Spec }: ServiceObject): string =>
  [...(Spec.TaskTemplate.ContainerSpec.Command ?? []), ...(Spec.TaskTemplate.ContainerSpec.Args ?? [])].join(' ');

function reservedOf({ Spec }: ServiceObject): string {
  const { NanoCPUs, MemoryBytes } = Spec.TaskTemplate.Resources?.Reservations ?? {};
  return [NanoCPUs ? `${cpusText(NanoCPUs)} cpu` : '', MemoryBytes ? bytesText(MemoryBytes) : '']
    .filter(Boolean)
    .join(' ');
}

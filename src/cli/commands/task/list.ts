import type { Command } from 'commander';
import type { ApiClient } from '../../client.ts';
import { action, addListOptions, listFlag, type CommandContext, type Flags } from '../../context.ts';
import { ago, printList, shortId, type Terminal } from '../../output.ts';
import type { NodeObject, ServiceObject, TaskObject } from '../../types.ts';
import { filters } from '../../values.ts';

interface Names {
  readonly services: ReadonlyMap<string, string>;
  readonly nodes: ReadonlyMap<string, string>;
}

async function namesOf(client: ApiClient): Promise<Names> {
  const [services, nodes] = await Promise.all([
    client.get<readonly ServiceObject[]>('/services'),
    client.get<readonly NodeObject[]>('/nodes'),
  ]);
  return {
    services: new Map(services.map((s) => [s.ID, s.Spec.Name])),
    nodes: new Map(nodes.map((n) => [n.ID, n.Description.Hostname])),
  };
}

/** Tasks as `service ps`, `node ps` and `task ls` show them, newest of a slot first. */
async function printTasks({ client, terminal, output }: CommandContext, wanted: readonly string[]): Promise<void> {
  const [tasks, names] = await Promise.all([
    client.get<readonly TaskObject[]>('/tasks', { filters: filters(wanted) }),
    namesOf(client),
  ]);
  const nameOf = (t: TaskObject): string =>
    `${names.services.get(t.ServiceID) ?? t.ServiceID}.${t.Slot ?? t.NodeID ?? ''}`;
  const items = [...tasks].sort(
    (a, b) =>
      nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true }) || b.CreatedAt.localeCompare(a.CreatedAt),
  );
  printList(
    terminal,
    {
      items,
      id: (t) => t.ID,
      name: nameOf,
      columns: [
        { header: 'ID', value: (t) => shortId(t.ID, output) },
        { header: 'NAME', value: nameOf },
        { header: 'IMAGE', value: (t) => t.Spec.ContainerSpec?.Image ?? '' },
        { header: 'NODE', value: (t) => (t.NodeID ? (names.nodes.get(t.NodeID) ?? t.NodeID) : '') },
        { header: 'DESIRED STATE', value: (t) => t.DesiredState },
        { header: 'CURRENT STATE', value: (t) => `${t.Status.State} ${ago(t.Status.Timestamp)}` },
        { header: 'ERROR', value: (t) => t.Status.Err ?? '' },
      ],
    },
    output,
  );
}

const givenFilters = (flags: Flags): readonly string[] => listFlag(flags, 'filter') ?? [];

export function taskList(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ls').alias('list').description('List all tasks'));
  action(command, terminal, 'table', (context, _args, flags) => printTasks(context, givenFilters(flags)));
}

export function servicePs(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ps <services...>').description('List the tasks of services'));
  action(command, terminal, 'table', (context, names, flags) =>
    printTasks(context, [...names.map((n) => `service=${n}`), ...givenFilters(flags)]),
  );
}

export function nodePs(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ps <nodes...>').description('List the tasks of nodes'));
  action(command, terminal, 'table', async (context, names, flags) => {
    const ids = await Promise.all(
      names.map((name) => context.client.get<NodeObject>(`/nodes/${encodeURIComponent(name)}`)),
    );
    await printTasks(context, [...ids.map((n) => `node=${n.ID}`), ...givenFilters(flags)]);
  });
}

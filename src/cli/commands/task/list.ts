import type { Command } from 'commander';
import type { ApiClient } from '../../client.ts';
import { action, addListOptions, addWatch, isSet, listFlag, type CommandContext, type Flags } from '../../context.ts';
import { ago, shortId, type Listing } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import { hostnameOf, type InfoObject, type NodeObject, type ServiceObject, type TaskObject } from '../../types.ts';
import { filters } from '../../values.ts';
import { showListing } from '../../watch/watch-listing.ts';

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
    nodes: new Map(nodes.map((n) => [n.ID, hostnameOf(n)])),
  };
}

const GOOD: readonly string[] = ['running', 'complete'];
const BAD: readonly string[] = ['failed', 'rejected', 'orphaned'];

/** Tasks as `service ps`, `node ps` and `task ls` show them, newest of a slot first. */
async function loadTasks({ client, output }: CommandContext, wanted: readonly string[]): Promise<Listing<TaskObject>> {
  const [tasks, names] = await Promise.all([
    client.get<readonly TaskObject[]>('/tasks', { filters: filters(wanted) }),
    namesOf(client),
  ]);
  const nameOf = (t: TaskObject): string =>
    `${names.services.get(t.ServiceID) ?? t.ServiceID}.${t.Slot ?? t.NodeID ?? ''}`;
  const state = (t: TaskObject): string => t.Status.State;
  return {
    items: [...tasks].sort(
      (a, b) =>
        nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true }) || b.CreatedAt.localeCompare(a.CreatedAt),
    ),
    id: (t) => t.ID,
    // Tasks of a slot share its name; managers know each by this one.
    name: (t) => `${nameOf(t)}.${t.ID}`,
    columns: [
      { header: 'ID', value: (t) => shortId(t.ID, output) },
      { header: 'NAME', value: nameOf },
      { header: 'IMAGE', value: (t) => t.Spec.ContainerSpec?.Image ?? '' },
      { header: 'NODE', value: (t) => (t.NodeID ? names.nodes.get(t.NodeID) || t.NodeID : '') },
      { header: 'DESIRED STATE', value: (t) => t.DesiredState },
      {
        header: 'CURRENT STATE',
        value: state,
        style: (t) => (GOOD.includes(state(t)) ? 'green' : BAD.includes(state(t)) ? 'red' : undefined),
      },
      { header: 'SINCE', value: (t) => ago(t.Status.Timestamp), isClock: true },
      { header: 'MESSAGE', value: (t) => t.Status.Message ?? '', isWide: true },
      { header: 'PID', value: (t) => String(t.Status.ContainerStatus?.PID || ''), isWide: true },
      { header: 'EXIT', value: (t) => exitOf(t), isWide: true },
      { header: 'ERROR', value: (t) => t.Status.Err ?? '', style: () => 'red' },
    ],
  };
}

/** Lists tasks that match filters, once or with --watch. */
export const showTasks = (context: CommandContext, flags: Flags, wanted: readonly string[]): Promise<void> =>
  showListing(context, isSet(flags, 'watch'), {
    kinds: ['task', 'service', 'node'],
    load: () => loadTasks(context, wanted),
  });

const givenFilters = (flags: Flags): readonly string[] => listFlag(flags, 'filter') ?? [];

export function taskList(parent: Command, terminal: Terminal): void {
  const command = addWatch(addListOptions(parent.command('ls').alias('list').description('List all tasks')));
  action(command, terminal, 'table', (context, _args, flags) => showTasks(context, flags, givenFilters(flags)));
}

export function servicePs(parent: Command, terminal: Terminal): void {
  const command = addWatch(
    addListOptions(parent.command('ps <services...>').description('List the tasks of services')),
  );
  action(command, terminal, 'table', async (context, names, flags) => {
    const services = await Promise.all(
      names.map((name) => context.client.get<ServiceObject>(`/services/${encodeURIComponent(name)}`)),
    );
    await showTasks(context, flags, [...services.map((s) => `service=${s.ID}`), ...givenFilters(flags)]);
  });
}

export function nodePs(parent: Command, terminal: Terminal): void {
  const command = addWatch(
    addListOptions(parent.command('ps [nodes...]').description('List the tasks of nodes, by default of this one')),
  );
  action(command, terminal, 'table', async (context, names, flags) => {
    const nodes = await Promise.all(
      (names.length > 0 ? names : ['self']).map((name) => findNode(context.client, name)),
    );
    await showTasks(context, flags, [...nodes.map((n) => `node=${n.ID}`), ...givenFilters(flags)]);
  });
}

/** "self" is the node that answers. */
async function findNode(client: ApiClient, name: string): Promise<NodeObject> {
  const id = name === 'self' ? (await client.get<InfoObject>('/info')).Swarm.NodeID : name;
  return client.get<NodeObject>(`/nodes/${encodeURIComponent(id)}`);
}

/** Of a task that has ended. */
const exitOf = ({ Status }: TaskObject): string =>
  ['complete', 'failed', 'shutdown'].includes(Status.State) ? String(Status.ContainerStatus?.ExitCode ?? '') : '';

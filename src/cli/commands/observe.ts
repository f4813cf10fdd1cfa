/** `info`, `status`, `events`: looking at the swarm. */
import { StringDecoder } from 'node:string_decoder';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { action, addFilterAndFormat, listFlag, nameless, textFlag, type Flags } from '../context.ts';
import { interrupted } from '../interrupted.ts';
import { moment } from '../moment.ts';
import { isForPeople, printValue, table } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import type { InfoObject } from '../types.ts';
import { filters } from '../values.ts';

interface StatusObject {
  readonly version: string;
  readonly clusterId: string;
  readonly leaderId: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly stateHash: string;
  readonly members: readonly {
    readonly nodeId: string;
    readonly addr: string;
    readonly isLeader: boolean;
    readonly isReachable: boolean;
  }[];
}

export function infoCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('info')
    .description('Show this node and its place in the swarm')
    .option('--format <template>', 'print with a template');
  action(command, terminal, nameless(), async ({ client, output }) => {
    const info = await client.get<InfoObject>('/info');
    if (!isForPeople(output)) return printValue(terminal, info, output);
    const { Swarm } = info;
    const lines: readonly (readonly [string, string])[] = [
      ['name', info.Name],
      ['version', info.ServerVersion],
      ['swarm', Swarm.LocalNodeState],
      ['role', Swarm.ControlAvailable ? 'manager' : Swarm.NodeID ? 'worker' : '-'],
      ['node id', Swarm.NodeID || '-'],
      ['address', Swarm.NodeAddr || '-'],
      ['nodes', Swarm.Nodes === undefined ? '-' : `${Swarm.Nodes}, ${Swarm.Managers ?? 0} of them managers`],
      ['managers', (Swarm.RemoteManagers ?? []).map((m) => m.Addr).join(', ') || '-'],
      ...(Swarm.Error ? ([['error', Swarm.Error]] as const) : []),
    ];
    for (const [key, value] of lines) terminal.out(`${`${key}:`.padEnd(12)}${value}\n`);
  });
}

export function statusCommand(program: Command, terminal: Terminal): void {
  const command = program.command('status').description('Show the health of the managers');
  action(command, terminal, nameless(), async ({ client, output }) => {
    const status = await client.get<StatusObject>('/swarmd/status');
    if (!isForPeople(output)) return printValue(terminal, status, output);
    terminal.out(
      `cluster ${status.clusterId}, term ${status.term}, applied ${status.appliedIndex} of ${status.commitIndex}\n`,
    );
    terminal.out(`state ${status.stateHash.slice(0, 16)}\n\n`);
    const columns = [
      { header: 'NODE', value: (m: StatusObject['members'][number]) => m.nodeId },
      { header: 'ADDRESS', value: (m: StatusObject['members'][number]) => m.addr },
      {
        header: 'STATE',
        value: (m: StatusObject['members'][number]) =>
          m.isLeader ? 'leader' : m.isReachable ? 'reachable' : 'unreachable',
      },
    ];
    terminal.out(table(columns, status.members));
  });
}

interface EventObject {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Record<string, string> };
  readonly timeNano: number;
}

export function eventsCommand(program: Command, terminal: Terminal): void {
  const command = addFilterAndFormat(
    program.command('events').description('Show what happens in the swarm, until interrupted'),
  )
    .option('--since <when>', 'show events since then first: a time, Unix seconds, or a duration such as 10m')
    .option('--until <when>', 'end then');
  action(command, terminal, nameless(), async ({ client, output }, _args, flags) => {
    const query = {
      filters: filters(listFlag(flags, 'filter')),
      since: when(flags, 'since'),
      until: when(flags, 'until'),
    };
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for await (const chunk of client.stream('/events', query, interrupted())) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((l) => l !== '')) {
        if (output.output === 'json') terminal.out(`${line}\n`);
        else if (output.output === 'yaml') terminal.out(`---\n${stringify(JSON.parse(line))}`);
        else if (output.format !== undefined) printValue(terminal, JSON.parse(line), output);
        else terminal.out(`${eventText(JSON.parse(line) as EventObject)}\n`);
      }
    }
  });
}

function when(flags: Flags, name: string): number | undefined {
  const text = textFlag(flags, name);
  return text === undefined ? undefined : moment(`--${name}`, text);
}

function eventText(event: EventObject): string {
  const attributes = Object.entries(event.Actor.Attributes).map(([key, value]) => `${key}=${value}`);
  return `${new Date(event.timeNano / 1e6).toISOString()} ${event.Type} ${event.Action} ${event.Actor.ID} (${attributes.join(', ')})`;
}

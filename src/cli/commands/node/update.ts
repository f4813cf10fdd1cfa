import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApiClient } from '../../client.ts';
import { action, collect, listFlag, requireFlag, textFlag, type CommandContext } from '../../context.ts';
import { Outcomes, printOutcome } from '../../outcome.ts';
import type { Terminal } from '../../terminal.ts';
import { hostnameOf, type NodeObject } from '../../types.ts';
import { keyValues } from '../../values.ts';

type NodeSpec = NodeObject['Spec'];

/** Resolves with the node as it was. */
async function change(client: ApiClient, name: string, edit: (spec: NodeSpec) => NodeSpec): Promise<NodeObject> {
  const node = await client.get<NodeObject>(`/nodes/${encodeURIComponent(name)}`);
  await client.post(`/nodes/${node.ID}/update`, { version: node.Version.Index }, edit(node.Spec));
  return node;
}

export function nodeUpdate(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('update <node>')
    .description('Change the availability, role or labels of a node')
    .addOption(new Option('--availability <state>', 'whether it takes tasks').choices(['active', 'pause', 'drain']))
    .addOption(new Option('--role <role>', 'its role').choices(['worker', 'manager']))
    .option('--label-add <key=value>', 'set a label; may be repeated', collect)
    .option('--label-rm <key>', 'remove a label; may be repeated', collect);
  action(command, terminal, 'table', async (context, [name = ''], flags) => {
    requireFlag(command);
    const removed = new Set(listFlag(flags, 'labelRm'));
    const node = await change(context.client, name, (spec) => ({
      ...spec,
      Availability: textFlag(flags, 'availability') ?? spec.Availability,
      Role: textFlag(flags, 'role') ?? spec.Role,
      Labels: {
        ...Object.fromEntries(Object.entries(spec.Labels).filter(([key]) => !removed.has(key))),
        ...keyValues('--label-add', listFlag(flags, 'labelAdd') ?? []),
      },
    }));
    printOutcome(context, {
      text: `${name}\n`,
      name: hostnameOf(node),
      value: { ID: node.ID, Name: hostnameOf(node) },
    });
  });
}

export function nodePromote(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('promote <nodes...>')
    .description('Make workers managers, without restarting their tasks');
  action(command, terminal, 'table', (context, names) => setRole(context, names, 'manager'));
}

export function nodeDemote(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('demote <nodes...>')
    .description('Make managers workers, without restarting their tasks');
  action(command, terminal, 'table', (context, names) => setRole(context, names, 'worker'));
}

function setRole(context: CommandContext, names: readonly string[], role: 'manager' | 'worker'): Promise<void> {
  const changed = new Outcomes(context);
  return changed.during(async () => {
    for (const name of names) {
      const node = await change(context.client, name, (spec) => ({ ...spec, Role: role }));
      changed.say(`${name} becomes a ${role}\n`);
      changed.add(hostnameOf(node), { ID: node.ID, Name: hostnameOf(node), Role: role });
    }
  });
}

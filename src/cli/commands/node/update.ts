import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApiClient } from '../../client.ts';
import { action, collect, listFlag, textFlag } from '../../context.ts';
import type { Terminal } from '../../terminal.ts';
import type { NodeObject } from '../../types.ts';
import { keyValues } from '../../values.ts';

type NodeSpec = NodeObject['Spec'];

async function change(client: ApiClient, name: string, edit: (spec: NodeSpec) => NodeSpec): Promise<void> {
  const node = await client.get<NodeObject>(`/nodes/${encodeURIComponent(name)}`);
  await client.post(`/nodes/${node.ID}/update`, { version: node.Version.Index }, edit(node.Spec));
}

export function nodeUpdate(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('update <node>')
    .description('Change the availability, role or labels of a node')
    .addOption(new Option('--availability <state>', 'whether it takes tasks').choices(['active', 'pause', 'drain']))
    .addOption(new Option('--role <role>', 'its role').choices(['worker', 'manager']))
    .option('--label-add <key=value>', 'set a label; may be repeated', collect)
    .option('--label-rm <key>', 'remove a label; may be repeated', collect);
  action(command, terminal, 'table', async ({ client }, [name = ''], flags) => {
    const removed = new Set(listFlag(flags, 'labelRm'));
    await change(client, name, (spec) => ({
      ...spec,
      Availability: textFlag(flags, 'availability') ?? spec.Availability,
      Role: textFlag(flags, 'role') ?? spec.Role,
      Labels: {
        ...Object.fromEntries(Object.entries(spec.Labels).filter(([key]) => !removed.has(key))),
        ...keyValues('--label-add', listFlag(flags, 'labelAdd') ?? []),
      },
    }));
    terminal.out(`${name}\n`);
  });
}

export function nodePromote(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('promote <nodes...>')
    .description('Make workers managers, without restarting their tasks');
  action(command, terminal, 'table', async ({ client }, names) => {
    for (const name of names) {
      await change(client, name, (spec) => ({ ...spec, Role: 'manager' }));
      terminal.out(`${name} becomes a manager\n`);
    }
  });
}

export function nodeDemote(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('demote <nodes...>')
    .description('Make managers workers, without restarting their tasks');
  action(command, terminal, 'table', async ({ client }, names) => {
    for (const name of names) {
      await change(client, name, (spec) => ({ ...spec, Role: 'worker' }));
      terminal.out(`${name} becomes a worker\n`);
    }
  });
}

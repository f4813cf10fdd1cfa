/** `network`: networks of the swarm. */
import type { Command } from 'commander';
import type { ApiClient } from '../client.ts';
import { addYes, confirm } from '../confirm.ts';
import { action, addListOptions, collect, isSet, listFlag, textFlag } from '../context.ts';
import { printOutcome, Outcomes } from '../outcome.ts';
import { ago, printList, shortId, type Listing } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import type { NetworkObject } from '../types.ts';
import { UsageError } from '../usage-error.ts';
import { filters, keyValues } from '../values.ts';
import { inspectCommand, removeCommand } from './inspect.ts';

export function networkCommands(program: Command, terminal: Terminal): void {
  const parent = program.command('network').description('Networks: how the tasks of services reach one another');
  networkCreate(parent, terminal);
  networkList(parent, terminal);
  inspectCommand(parent, terminal, 'network', 'networks');
  removeCommand(parent, terminal, 'network', 'networks', {
    force: 'do not ask before the ingress network is removed',
    caution: ingressCaution,
  });
  networkPrune(parent, terminal);
}

/** Published ports of the whole swarm hang on this one. */
async function ingressCaution(client: ApiClient, name: string): Promise<string | undefined> {
  const { Ingress } = await client.get<NetworkObject>(`/networks/${encodeURIComponent(name)}`);
  return Ingress === true
    ? `Remove ${name}? No node forwards published ports until there is a new ingress network.`
    : undefined;
}

function networkCreate(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('create <name>')
    .description('Create a network')
    .option('-d, --driver <name>', 'driver', 'overlay')
    .option('--subnet <cidr>', 'subnet, for example 10.5.0.0/24; may be repeated', collect)
    .option('--gateway <address>', 'gateway of each subnet, in their order; may be repeated', collect)
    .option('--ip-range <cidr>', 'part of each subnet that tasks get addresses from; may be repeated', collect)
    .option('--ipv6', 'with IPv6 addresses')
    .option('--internal', 'without a way out')
    .option('--attachable', 'containers outside services may join')
    .option('--opt <key=value>', 'option of the driver; may be repeated', collect)
    .option('-l, --label <key=value>', 'label; may be repeated', collect);
  action(command, terminal, 'table', async (context, [name = ''], flags) => {
    const list = (flag: string): readonly string[] => listFlag(flags, flag) ?? [];
    const subnets = list('subnet');
    for (const flag of ['gateway', 'ip-range']) {
      const given = list(flag === 'gateway' ? 'gateway' : 'ipRange');
      if (given.length > subnets.length)
        throw new UsageError(`--${flag} "${given[subnets.length]}": there is no --subnet for it`);
    }
    const { Id } = await context.client.post<{ Id: string }>('/networks/create', undefined, {
      Name: name,
      Driver: textFlag(flags, 'driver'),
      Scope: 'swarm',
      EnableIPv6: isSet(flags, 'ipv6'),
      Internal: isSet(flags, 'internal'),
      Attachable: isSet(flags, 'attachable'),
      Options: keyValues('--opt', list('opt')),
      Labels: keyValues('--label', list('label')),
      IPAM: {
        Driver: 'default',
        Config: subnets.map((Subnet, i) => ({ Subnet, Gateway: list('gateway')[i], IPRange: list('ipRange')[i] })),
      },
    });
    printOutcome(context, { text: `${Id}\n`, name, value: { Id, Name: name } });
  });
}

function networkList(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ls').alias('list').description('List the networks of the swarm'));
  action(command, terminal, 'table', async ({ client, output }, _args, flags) => {
    const networks = await client.get<readonly NetworkObject[]>('/networks', {
      filters: filters(listFlag(flags, 'filter')),
    });
    const listing: Listing<NetworkObject> = {
      items: [...networks].sort((a, b) => a.Name.localeCompare(b.Name, undefined, { numeric: true })),
      id: (n) => n.Id,
      name: (n) => n.Name,
      columns: [
        { header: 'ID', value: (n) => shortId(n.Id, output) },
        { header: 'NAME', value: (n) => n.Name },
        { header: 'DRIVER', value: (n) => n.Driver },
        { header: 'SCOPE', value: (n) => n.Scope },
        { header: 'SUBNETS', value: (n) => (n.IPAM.Config ?? []).map((c) => c.Subnet ?? '').join(', ') },
        { header: 'CREATED', value: (n) => ago(n.Created) },
      ],
    };
    printList(terminal, listing, output);
  });
}

function networkPrune(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('prune')
    .description('Remove all networks that no service uses')
    .option('-f, --filter <key=value>', 'remove only what matches, for example until=24h; may be repeated', collect);
  addYes(command);
  action(command, terminal, 'table', async (context, _args, flags) => {
    await confirm(terminal, flags, 'Remove all networks that no service uses?');
    const { NetworksDeleted } = await context.client.post<{ readonly NetworksDeleted?: readonly string[] | null }>(
      '/networks/prune',
      { filters: filters(listFlag(flags, 'filter')) },
    );
    const removed = new Outcomes(context);
    for (const name of NetworksDeleted ?? []) {
      removed.say(`${name}\n`);
      removed.add(name);
    }
    removed.print();
  });
}

import { Option, type Command } from 'commander';
import { addYes, confirm } from '../../confirm.ts';
import { action, isSet, textFlag } from '../../context.ts';
import type { Terminal } from '../../terminal.ts';
import { STRATEGIES } from '../../../common/service-labels.ts';
import type { InfoObject, SwarmObject } from '../../types.ts';
import { addExternalCa, externalCas } from './external-ca.ts';

export function swarmInit(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('init')
    .description('Found a swarm with this node as its first manager')
    .option('--advertise-addr <host[:port]>', 'address at which other nodes reach this one')
    .option('--listen-addr <host:port>', 'address to listen on', '0.0.0.0:2377')
    .addOption(
      new Option('--availability <state>', 'whether this node takes tasks')
        .choices(['active', 'pause', 'drain'])
        .default('active'),
    )
    .addOption(new Option('--strategy <name>', 'default placement strategy').choices(STRATEGIES))
    .option('--force-new-cluster', 'go on alone with the state of this manager');
  addExternalCa(command);
  addYes(command);
  action(command, terminal, 'table', async ({ client }, _args, flags) => {
    if (isSet(flags, 'forceNewCluster')) await confirm(terminal, flags, 'Forget all other managers?');
    const strategy = textFlag(flags, 'strategy');
    const ExternalCAs = externalCas(flags);
    const nodeId = await client.post<string>('/swarm/init', undefined, {
      ListenAddr: textFlag(flags, 'listenAddr'),
      AdvertiseAddr: textFlag(flags, 'advertiseAddr'),
      Availability: textFlag(flags, 'availability'),
      ForceNewCluster: isSet(flags, 'forceNewCluster'),
      Spec: {
        Labels: strategy ? { 'swarmd.strategy': strategy } : {},
        ...(ExternalCAs ? { CAConfig: { ExternalCAs } } : {}),
      },
    });
    terminal.out(`swarm founded; this node (${nodeId}) is its manager\n`);
    await printJoinCommand(
      terminal,
      await client.get<SwarmObject>('/swarm'),
      await client.get<InfoObject>('/info'),
      'worker',
    );
  });
}

export function swarmJoin(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('join <managers...>')
    .description('Make this node a member of a swarm; the token decides its role')
    .requiredOption('--token <token>', 'join token')
    .option('--advertise-addr <host[:port]>', 'address at which other nodes reach this one')
    .option('--listen-addr <host:port>', 'address to listen on', '0.0.0.0:2377')
    .addOption(
      new Option('--availability <state>', 'whether this node takes tasks')
        .choices(['active', 'pause', 'drain'])
        .default('active'),
    );
  action(command, terminal, 'table', async ({ client }, managers, flags) => {
    await client.post('/swarm/join', undefined, {
      ListenAddr: textFlag(flags, 'listenAddr'),
      AdvertiseAddr: textFlag(flags, 'advertiseAddr'),
      RemoteAddrs: managers,
      JoinToken: textFlag(flags, 'token'),
      Availability: textFlag(flags, 'availability'),
    });
    const info = await client.get<InfoObject>('/info');
    terminal.out(`this node is a ${info.Swarm.ControlAvailable ? 'manager' : 'worker'} of the swarm\n`);
  });
}

export function swarmLeave(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('leave')
    .description('Take this node out of the swarm')
    .option('--force', 'leave even if the swarm loses its majority or its state');
  addYes(command);
  action(command, terminal, 'table', async ({ client }, _args, flags) => {
    if (isSet(flags, 'force')) await confirm(terminal, flags, 'Leave even if the swarm or its state is lost?');
    await client.post('/swarm/leave', isSet(flags, 'force') ? { force: 1 } : {});
    terminal.out('this node left the swarm\n');
  });
}

export function swarmJoinToken(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('join-token <role>')
    .description('Show the token for new workers or managers')
    .option('--rotate', 'make a new one first; the old one stops working')
    .option('-q, --quiet', 'print only the token');
  command.registeredArguments[0]?.choices(['worker', 'manager']);
  action(command, terminal, 'table', async ({ client }, [role = 'worker'], flags) => {
    let swarm = await client.get<SwarmObject>('/swarm');
    if (isSet(flags, 'rotate')) {
      const query = {
        version: swarm.Version.Index,
        [role === 'worker' ? 'rotateWorkerToken' : 'rotateManagerToken']: true,
      };
      await client.post('/swarm/update', query, swarm.Spec);
      swarm = await client.get<SwarmObject>('/swarm');
    }
    const isManager = role === 'manager';
    if (isSet(flags, 'quiet')) terminal.out(`${isManager ? swarm.JoinTokens.Manager : swarm.JoinTokens.Worker}\n`);
    else
      await printJoinCommand(terminal, swarm, await client.get<InfoObject>('/info'), isManager ? 'manager' : 'worker');
  });
}

function printJoinCommand(
  terminal: Terminal,
  swarm: SwarmObject,
  info: InfoObject,
  role: 'worker' | 'manager',
): Promise<void> {
  const own = info.Swarm.RemoteManagers?.find((m) => m.NodeID === info.Swarm.NodeID);
  const address = own?.Addr ?? `${info.Swarm.NodeAddr}:2377`;
  const token = role === 'manager' ? swarm.JoinTokens.Manager : swarm.JoinTokens.Worker;
  terminal.out(
    `\nto add a ${role}, run there:\n\n  swarmd ${role} --join ${address} --token ${token}\n\nor, on a Docker Engine (workers only):\n\n  docker swarm join --token ${token} ${address}\n`.replace(
      role === 'manager' ? /\nor, on[\s\S]*/ : /$^/,
      '',
    ),
  );
  return Promise.resolve();
}

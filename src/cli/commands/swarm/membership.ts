import { Option, type Command } from 'commander';
import { addYes, confirm } from '../../confirm.ts';
import type { ApiClient } from '../../client.ts';
import { action, isSet, nameless, textFlag, type Flags } from '../../context.ts';
import { printDone, printOutcome } from '../../outcome.ts';
import { isForPeople, printValue } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import { STRATEGIES } from '../../../common/service-labels.ts';
import type { InfoObject, SwarmObject } from '../../types.ts';
import { addExternalCa, externalCas } from './external-ca.ts';

export function swarmInit(parent: Command, terminal: Terminal): void {
  const command = addPlaceFlags(parent.command('init').description('Found a swarm with this node as its first manager'))
    .addOption(new Option('--strategy <name>', 'default placement strategy').choices(STRATEGIES))
    .option('--force-new-cluster', 'go on alone with the state of this manager');
  addExternalCa(command);
  addYes(command);
  action(command, terminal, 'table', async (context, _args, flags) => {
    const { client } = context;
    if (isSet(flags, 'forceNewCluster')) await confirm(terminal, flags, 'Forget all other managers?');
    const strategy = textFlag(flags, 'strategy');
    const ExternalCAs = externalCas(flags);
    const nodeId = await client.post<string>('/swarm/init', undefined, {
      ...placeOf(flags),
      ForceNewCluster: isSet(flags, 'forceNewCluster'),
      Spec: {
        Labels: strategy ? { 'swarmd.strategy': strategy } : {},
        ...(ExternalCAs ? { CAConfig: { ExternalCAs } } : {}),
      },
    });
    printDone(context, `swarm founded; this node (${nodeId}) is its manager\n`);
    const { JoinTokens } = await client.get<SwarmObject>('/swarm');
    const address = await ownAddress(client);
    printOutcome(context, {
      text: joinCommand('worker', JoinTokens.Worker, address),
      name: nodeId,
      value: { NodeID: nodeId, Role: 'manager', Address: address, JoinTokens },
    });
  });
}

export function swarmJoin(parent: Command, terminal: Terminal): void {
  const command = addPlaceFlags(
    parent
      .command('join <managers...>')
      .description('Make this node a member of a swarm; the token decides its role')
      .requiredOption('--token <token>', 'join token'),
  );
  action(command, terminal, 'table', async (context, managers, flags) => {
    const { client } = context;
    await client.post('/swarm/join', undefined, {
      ...placeOf(flags),
      RemoteAddrs: managers,
      JoinToken: textFlag(flags, 'token'),
    });
    const { Swarm } = await client.get<InfoObject>('/info');
    const role = Swarm.ControlAvailable ? 'manager' : 'worker';
    printOutcome(context, {
      text: `this node is a ${role} of the swarm\n`,
      name: Swarm.NodeID,
      value: { NodeID: Swarm.NodeID, Role: role },
    });
  });
}

export function swarmLeave(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('leave')
    .description('Take this node out of the swarm')
    .option('--force', 'leave even if the swarm loses its majority or its state');
  addYes(command);
  action(command, terminal, 'table', async (context, _args, flags) => {
    if (isSet(flags, 'force')) await confirm(terminal, flags, 'Leave even if the swarm or its state is lost?');
    await context.client.post('/swarm/leave', isSet(flags, 'force') ? { force: 1 } : {});
    printDone(context, 'this node left the swarm\n');
  });
}

export function swarmJoinToken(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('join-token <role>')
    .description('Show the token for new workers or managers')
    .option('--rotate', 'make a new one first; the old one stops working')
    .option('-q, --quiet', 'print only the token');
  command.registeredArguments[0]?.choices(['worker', 'manager']);
  action(command, terminal, nameless(), async ({ client, output }, [role], flags) => {
    const isManager = role === 'manager';
    const { Version, Spec } = await client.get<SwarmObject>('/swarm');
    if (isSet(flags, 'rotate')) {
      const rotation = isManager ? 'rotateManagerToken' : 'rotateWorkerToken';
      await client.post('/swarm/update', { version: Version.Index, [rotation]: true }, Spec);
    }
    const { JoinTokens } = await client.get<SwarmObject>('/swarm');
    const token = isManager ? JoinTokens.Manager : JoinTokens.Worker;
    if (isSet(flags, 'quiet')) return terminal.out(`${token}\n`);
    const address = await ownAddress(client);
    if (!isForPeople(output)) return printValue(terminal, { Role: role, Token: token, Address: address }, output);
    terminal.out(joinCommand(isManager ? 'manager' : 'worker', token, address));
  });
}

/** Where this node listens, is reached, and whether it takes tasks: the same when it founds a swarm and when it joins one. */
const addPlaceFlags = (command: Command): Command =>
  command
    .option('--advertise-addr <host[:port]>', 'address at which other nodes reach this one')
    .option('--listen-addr <host:port>', 'address to listen on', '0.0.0.0:2377')
    .addOption(
      new Option('--availability <state>', 'whether this node takes tasks')
        .choices(['active', 'pause', 'drain'])
        .default('active'),
    );

const placeOf = (flags: Flags) => ({
  ListenAddr: textFlag(flags, 'listenAddr'),
  AdvertiseAddr: textFlag(flags, 'advertiseAddr'),
  Availability: textFlag(flags, 'availability'),
});

/** Where others find this manager. */
async function ownAddress(client: ApiClient): Promise<string> {
  const { Swarm } = await client.get<InfoObject>('/info');
  return Swarm.RemoteManagers?.find((m) => m.NodeID === Swarm.NodeID)?.Addr ?? `${Swarm.NodeAddr}:2377`;
}

function joinCommand(role: 'worker' | 'manager', token: string, address: string): string {
  const ours = `\nto add a ${role}, run there:\n\n  swarmd ${role} --join ${address} --token ${token}\n`;
  if (role === 'manager') return ours;
  return `${ours}\nor, on a Docker Engine (workers only):\n\n  docker swarm join --token ${token} ${address}\n`;
}

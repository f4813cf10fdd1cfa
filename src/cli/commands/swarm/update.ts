import { Option, type Command } from 'commander';
import { STRATEGIES } from '../../../common/service-labels.ts';
import { action, collect, listFlag, requireFlag, textFlag } from '../../context.ts';
import { printDone, printOutcome } from '../../outcome.ts';
import type { Terminal } from '../../terminal.ts';
import type { SwarmObject } from '../../types.ts';
import { duration, keyValues, wholeNumber } from '../../values.ts';
import { addExternalCa, externalCas } from './external-ca.ts';
import { unlockText } from './lock.ts';

export function swarmUpdate(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('update')
    .description('Change settings of the swarm')
    .addOption(new Option('--strategy <name>', 'default placement strategy').choices(STRATEGIES))
    .addOption(new Option('--autolock <state>', 'managers need a key after a restart').choices(['on', 'off']))
    .option('--cert-expiry <duration>', 'how long certificates of nodes are good')
    .option('--dispatcher-heartbeat <duration>', 'time between two heartbeats of a node')
    .option('--task-history-limit <n>', 'ended tasks kept per slot')
    .option('--label-add <key=value>', 'set a label; may be repeated', collect);
  addExternalCa(command);
  action(command, terminal, 'table', async (context, _args, flags) => {
    requireFlag(command);
    const { client } = context;
    const swarm = await client.get<SwarmObject>('/swarm');
    const set = <T>(name: string, parse: (text: string) => T): T | undefined => {
      const text = textFlag(flags, name);
      return text === undefined ? undefined : parse(text);
    };
    const strategy = textFlag(flags, 'strategy');
    const history = set('taskHistoryLimit', (text) => wholeNumber('--task-history-limit', text));
    const expiry = set('certExpiry', (text) => duration('--cert-expiry', text));
    const heartbeat = set('dispatcherHeartbeat', (text) => duration('--dispatcher-heartbeat', text));
    const ExternalCAs = externalCas(flags);
    const ca = {
      ...(expiry === undefined ? {} : { NodeCertExpiry: expiry }),
      ...(ExternalCAs === undefined ? {} : { ExternalCAs }),
    };
    const isLocked = set('autolock', (text) => text === 'on');
    const labels = keyValues('--label-add', listFlag(flags, 'labelAdd') ?? []);
    await client.post(
      '/swarm/update',
      { version: swarm.Version.Index },
      {
        ...swarm.Spec,
        Labels: { ...swarm.Spec.Labels, ...labels, ...(strategy ? { 'swarmd.strategy': strategy } : {}) },
        ...(history === undefined ? {} : { Orchestration: { TaskHistoryRetentionLimit: history } }),
        ...(heartbeat === undefined ? {} : { Dispatcher: { HeartbeatPeriod: heartbeat } }),
        CAConfig: { ...swarm.Spec.CAConfig, ...ca },
        ...(isLocked === undefined ? {} : { EncryptionConfig: { AutoLockManagers: isLocked } }),
      },
    );
    printDone(context, 'swarm updated\n');
    if (isLocked && swarm.Spec.EncryptionConfig?.AutoLockManagers !== true) {
      const { UnlockKey } = await client.get<{ readonly UnlockKey: string }>('/swarm/unlockkey');
      printOutcome(context, { text: unlockText(UnlockKey), name: UnlockKey, value: { UnlockKey } });
    }
  });
}

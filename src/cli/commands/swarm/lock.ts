/** `swarm unlock`, `swarm unlock-key`: managers whose keys are encrypted at rest. */
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { SwarmError } from '../../../common/errors.ts';
import { action, isSet, nameless } from '../../context.ts';
import { printDone } from '../../outcome.ts';
import { isForPeople, printValue } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import type { SwarmObject } from '../../types.ts';

export function swarmUnlock(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('unlock')
    .description('Unlock this manager after a restart; the key is asked for, or read from standard input');
  action(command, terminal, 'table', async (context) => {
    const key = (await (terminal.ask?.('unlock key: ') ?? text(process.stdin))).trim();
    if (key === '') {
      throw new SwarmError(
        'invalidArgument',
        'no unlock key was given; get it on another manager with "swarmctl swarm unlock-key -q"',
      );
    }
    await context.client.post('/swarm/unlock', undefined, { UnlockKey: key });
    printDone(context, 'this manager is unlocked\n');
  });
}

export function swarmUnlockKey(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('unlock-key')
    .description('Show the key that unlocks managers after a restart')
    .option('--rotate', 'make a new one first; keep the old one until all managers have the new one')
    .option('-q, --quiet', 'print only the key');
  action(command, terminal, nameless(), async ({ client, output }, _args, flags) => {
    const swarm = await client.get<SwarmObject>('/swarm');
    if (swarm.Spec.EncryptionConfig?.AutoLockManagers !== true) {
      throw new SwarmError(
        'failedPrecondition',
        'the managers of this swarm are not locked: turn it on with "swarmctl swarm update --autolock on"',
      );
    }
    if (isSet(flags, 'rotate')) {
      await client.post('/swarm/update', { version: swarm.Version.Index, rotateManagerUnlockKey: true }, swarm.Spec);
    }
    const { UnlockKey } = await client.get<{ readonly UnlockKey: string }>('/swarm/unlockkey');
    if (isSet(flags, 'quiet')) terminal.out(`${UnlockKey}\n`);
    else if (isForPeople(output)) terminal.out(unlockText(UnlockKey));
    else printValue(terminal, { UnlockKey }, output);
  });
}

export const unlockText = (key: string): string =>
  `to unlock a manager after it restarts, run there "swarmctl swarm unlock" and give this key:\n\n  ${key}\n\nkeep it in a safe place: without it the manager cannot be started again\n`;

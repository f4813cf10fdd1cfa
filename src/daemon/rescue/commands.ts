/** The commands for the day after: `swarmd backup`, `restore` and `recover`. Loaded when used: a worker carries no manager in its memory. */
import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { parseUnlockKey } from '../../api/docker/unlock-key.ts';
import { systemClock } from '../../common/clock.ts';
import { errorText, SwarmError } from '../../common/errors.ts';
import { defaultSocketPath } from '../../common/local-socket.ts';
import { address, apiAddress, reachableAddress } from '../option-values.ts';

const PASSPHRASE = 'file with the passphrase the backup is encrypted with';

/** @param ended takes the exit code of a command */
export function addRescueCommands(program: Command, ended: (exitCode: number) => void): void {
  program
    .command('backup')
    .summary('keep the state of the swarm in a file, while it runs')
    .description('Keep the state of the swarm in a file: all objects, secrets and the authority, as of one moment.')
    .requiredOption('--out <file>', 'file to write')
    .addOption(
      new Option('--api <address>', 'API socket of a manager on this machine')
        .argParser(apiAddress)
        .default(`unix://${defaultSocketPath()}`),
    )
    .option('--passphrase-file <file>', PASSPHRASE)
    .addHelpText('after', '\nExamples:\n  swarmd backup --out swarm.backup --passphrase-file passphrase\n')
    .action(async ({ out, api, passphraseFile }: { out: string; api: string; passphraseFile?: string }) => {
      const passphrase = await secretIn('--passphrase-file', passphraseFile);
      const { backup } = await import('./backup.ts');
      const { clusterId, index } = await backup({ api, out, passphrase });
      say(`${out} holds the state of cluster ${clusterId} at entry ${index}.`);
      if (passphrase === undefined)
        say('It is not encrypted: it shows every secret and the key of the authority to whoever reads it.');
      ended(0);
    });
  program
    .command('restore')
    .summary('make a state folder from a backup')
    .description('Make a state folder from a backup: started from it, a manager leads the same swarm alone.')
    .requiredOption('--from <file>', 'the backup')
    .requiredOption('--data-dir <dir>', 'empty folder to fill')
    .option('--passphrase-file <file>', PASSPHRASE)
    .addOption(
      new Option(
        '--listen-addr <host:port>',
        'where the manager listens; the port of the one that made the backup',
      ).argParser(address),
    )
    .addOption(
      new Option(
        '--advertise-addr <host[:port]>',
        'where others reach it; the address of the one that made the backup',
      ).argParser(reachableAddress),
    )
    .addHelpText('after', '\nExamples:\n  swarmd restore --from swarm.backup --data-dir /var/lib/swarmd\n')
    .action(async (given: RestoreFlags) => {
      const passphrase = await secretIn('--passphrase-file', given.passphraseFile);
      const { restore } = await import('./restore.ts');
      const { from, dataDir, listenAddr, advertiseAddr } = given;
      const made = await restore({ from, dataDir, passphrase, listenAddr, advertiseAddr, nowMs: systemClock.now() });
      say(
        `${dataDir} holds cluster ${made.clusterId} with ${made.services} services; its manager is node ${made.nodeId}.`,
      );
      if (made.isLocked) say('Its managers are locked: have the unlock key of the time of the backup ready.');
      say(`Start it: swarmd manager --data-dir ${dataDir}`);
      ended(0);
    });
  program
    .command('recover')
    .summary('go on with one manager when the majority is lost for good')
    .description('Look at state folders that survived, say what is lost, and make the best one the only manager.')
    .requiredOption('--data-dir <dir...>', 'state folder of a manager that is not running; may be repeated')
    .option('--unlock-key-file <file>', 'file with the unlock key, if the managers are locked')
    .option('--yes', 'do it; without this it only looks')
    .addHelpText(
      'after',
      '\nExamples:\n  swarmd recover --data-dir /var/lib/swarmd\n  swarmd recover --data-dir m1 --data-dir m2 --yes\n',
    )
    .action(async (given: { dataDir: readonly string[]; unlockKeyFile?: string; yes?: boolean }) => {
      const unlockKey = await unlockKeyIn(given.unlockKeyFile);
      const { recover } = await import('./recover.ts');
      const chosen = await recover({ dataDirs: given.dataDir, unlockKey, yes: given.yes === true }, say);
      if (chosen === undefined) {
        say('Nothing was changed. Do it with --yes, once no other manager of this swarm can come back.');
        ended(1);
        return;
      }
      say(`${chosen} is the only manager of its swarm now. Start it: swarmd manager --data-dir ${chosen}`);
      ended(0);
    });
}

async function unlockKeyIn(file: string | undefined): Promise<Uint8Array | undefined> {
  const text = await secretIn('--unlock-key-file', file);
  try {
    return text === undefined ? undefined : parseUnlockKey(text);
  } catch {
    throw new SwarmError('invalidArgument', `--unlock-key-file ${file}: it holds no key; keys begin with SWMKEY-1-`);
  }
}

interface RestoreFlags {
  readonly from: string;
  readonly dataDir: string;
  readonly passphraseFile?: string;
  readonly listenAddr?: string;
  readonly advertiseAddr?: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Secrets come from files, since every user of the machine sees the command line. */
async function secretIn(flag: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new SwarmError('invalidArgument', `${flag} ${file}: ${errorText(error)}`, { cause: error });
  }
}

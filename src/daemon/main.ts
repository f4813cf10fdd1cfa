/** The `swarmd` command line: reads settings, starts the daemon, stops it on signals. */
import { Command, CommanderError } from 'commander';
import { createLogger, type Logger } from '../common/log.ts';
import { ERROR_KINDS, errorText, toSwarmError } from '../common/errors.ts';
import { VERSION } from '../common/version.ts';
import { shareSpecs } from '../proto/shared-messages.ts';
import type { DaemonOptions } from './options.ts';
import { addOptions, readOptions } from './read-options.ts';
import { addRescueCommands } from './rescue/commands.ts';
import type { Daemon } from './run-node.ts';
import { settleMemory } from './settle-memory.ts';

/** Exit code of wrong usage. */
const USAGE = 2;

/** As shells tell that a signal ended a program. */
const EXIT_CODE_OF = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

const EXIT_CODES = `
Exit codes: 0 ended as asked, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 unreachable, or an address is taken,
6 timed out, 129, 130 and 143 ended by a signal while starting.
`;

/** Under npm one Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const SAME_KEYSTROKE_MS = 1_000;

/** A start that takes longer than this is given up when the daemon is told to stop; a start can be cut off anywhere. */
const START_GRACE_MS = 2_000;

/** Whatever runs until it is told to stop. */
type Running = Pick<Daemon, 'failed' | 'stop'>;
type Start = (options: DaemonOptions, log: Logger) => Promise<Running>;

/** The code of the others would take room in each of them, and time in `--help`. */
const runManager: Start = async (...settings) => (await import('./run-node.ts')).runManager(...settings);
const runWorker: Start = async (...settings) => (await import('./run-node.ts')).runWorker(...settings);
const runNode: Start = async (...settings) => (await import('./run-node.ts')).runNode(...settings);

/** Runs the program; resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  shareSpecs();
  let exitCode = 0;
  const program = new Command('swarmd')
    .description('Cluster orchestrator that speaks Docker Swarm: managers replicate services, agents run their tasks.')
    .version(`swarmd ${VERSION}`, '-V, --version')
    .showHelpAfterError('(see --help)')
    .addHelpText('after', `\nExamples:\n  swarmd up --demo\n  swarmd manager --help\n${EXIT_CODES}`)
    .exitOverride();

  const daemon = (name: 'manager' | 'worker' | 'node', summary: string, example: string, start: Start): Command => {
    const command = addOptions(program.command(name).summary(summary).description(summary), name);
    command.addHelpText('after', `\nExamples:\n${example}`);
    command.action(async () => {
      const options = readOptions(command, name);
      exitCode = await serve(createLogger({ level: options.logLevel }), (log) => start(options, log));
    });
    return command;
  };

  const up = addOptions(program.command('up').summary('run a whole single-node swarm in the foreground'), 'up')
    .description('Run a whole single-node swarm in the foreground: manager, agent and API socket.')
    .addHelpText(
      'after',
      '\nExamples:\n  swarmd up --demo\n  swarmd up --runtime docker --api unix:///tmp/swarmd.sock\n',
    );
  up.action(async () => {
    const options = readOptions(up, 'up');
    // People look at this terminal, so only what goes wrong is logged unless more is asked for.
    const level = up.getOptionValueSource('logLevel') === 'default' ? 'warn' : options.logLevel;
    const { runUp } = await import('./run-up.ts');
    exitCode = await serve(createLogger({ level }), (log) => runUp(options, log));
  });
  daemon(
    'manager',
    'run a manager; it runs tasks too, unless --runtime none',
    '  swarmd manager --data-dir /var/lib/swarmd\n  swarmd manager --join 10.0.0.1:2377 --token SWMTKN-1-…\n',
    runManager,
  );
  daemon(
    'worker',
    'run an agent of an existing swarm',
    '  swarmd worker --join 10.0.0.1:2377 --token SWMTKN-1-… --label zone=a\n',
    runWorker,
  );
  daemon(
    'node',
    'run outside any swarm until told to init or join through the API',
    '  swarmd node --api unix:///run/swarmd.sock\n  docker -H unix:///run/swarmd.sock swarm init\n',
    runNode,
  );
  const hollow = addOptions(
    program.command('hollow').summary('run many pretend workers in one process, for scale tests'),
    'hollow',
  )
    .description('Run many pretend workers in one process: real TLS and gRPC, but tasks run nothing.')
    .addHelpText(
      'after',
      '\nExamples:\n  swarmd hollow --join 127.0.0.1:2377 --token SWMTKN-1-… --nodes 300\n' +
        '  swarmd hollow --join 127.0.0.1:2377 --token SWMTKN-1-… --start-time 100ms..2s --failure-rate 0.01\n' +
        '\nWith MALLOC_MMAP_THRESHOLD_=65536 in its environment (glibc) each worker takes a fifth less memory:\n' +
        'a connection then has pages of its own, and only those it has used.\n',
    );
  hollow.action(async () => {
    const options = readOptions(hollow, 'hollow');
    const { runHollow } = await import('./run-hollow.ts');
    // Nobody waits for a pretend worker while its garbage is collected, but many are to fit into a machine.
    const memory = { isPatient: true };
    exitCode = await serve(createLogger({ level: options.logLevel }), (log) => runHollow(options, log), memory);
  });

  addRescueCommands(program, (code) => {
    exitCode = code;
  });

  try {
    if (argv.length <= 2) {
      program.outputHelp({ error: true });
      return USAGE;
    }
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    const known = toSwarmError(error);
    process.stderr.write(`swarmd: ${known.message}\n`);
    if (known.code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
    return known.code === 'invalidArgument' ? USAGE : ERROR_KINDS[known.code].exit;
  }
}

/** Starts a daemon and waits until it ends or a signal stops it. A second signal ends the process at once. */
async function serve(
  log: Logger,
  start: (log: Logger) => Promise<Running>,
  memory: Parameters<typeof settleMemory>[0] = {},
): Promise<number> {
  let isStarted = false;
  const stopRequested = new Promise<void>((resolve) => {
    // A terminal that is closed hangs up: what runs in it ends in good order too.
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        resolve();
        const giveUp = (): void => void (isStarted || process.exit(EXIT_CODE_OF[signal]));
        setTimeout(giveUp, START_GRACE_MS).unref();
      });
    }
  });
  // A bug in one request must not take the cluster down; it is logged with its stack and the daemon goes on.
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled rejection'));
  const daemon = await start(log);
  isStarted = true;
  settleMemory(memory);
  const failure = await Promise.race([stopRequested.then(() => undefined), daemon.failed]);
  if (failure) log.fatal({ error: errorText(failure) }, 'the daemon cannot go on');
  const stoppingSinceMs = performance.now();
  process.on('SIGINT', () => {
    if (performance.now() - stoppingSinceMs > SAME_KEYSTROKE_MS) process.exit(EXIT_CODE_OF.SIGINT);
  });
  await daemon.stop();
  return failure ? 1 : 0;
}

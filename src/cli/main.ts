/** The `swarmctl` command line: talks to any manager over the Docker API and our own routes, and to nothing else. */
import { Command, CommanderError } from 'commander';
import { ERROR_KINDS, errorText, toSwarmError } from '../common/errors.ts';
import { VERSION } from '../common/version.ts';
import { contextCommands } from './commands/context/context.ts';
import { doctorCommand } from './commands/doctor/doctor.ts';
import { inspectCommand, removeCommand } from './commands/inspect.ts';
import { networkCommands } from './commands/network.ts';
import { nodeList } from './commands/node/list.ts';
import { nodeDemote, nodePromote, nodeUpdate } from './commands/node/update.ts';
import { eventsCommand, infoCommand, statusCommand } from './commands/observe.ts';
import { serviceCreate } from './commands/service/create.ts';
import { serviceExplain } from './commands/service/explain.ts';
import { serviceList } from './commands/service/list.ts';
import { logsCommand } from './commands/logs/logs.ts';
import { serviceRollback, serviceScale, serviceUpdate } from './commands/service/update.ts';
import { stackCommands } from './commands/stack/stack.ts';
import { storedCommands } from './commands/stored/stored.ts';
import { swarmCa } from './commands/swarm/ca.ts';
import { swarmUnlock, swarmUnlockKey } from './commands/swarm/lock.ts';
import { swarmInit, swarmJoin, swarmJoinToken, swarmLeave } from './commands/swarm/membership.ts';
import { swarmUpdate } from './commands/swarm/update.ts';
import { nodePs, servicePs, taskList } from './commands/task/list.ts';
import { topCommand } from './commands/task/top.ts';
import { complete, completionScript, SHELLS, type Shell } from './completion.ts';
import { addGlobalOptions } from './context.ts';
import { addExamples } from './examples.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Exit code of wrong usage. */
const USAGE = 2;

export const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused, 5 unreachable or no leader, 6 timed out,
130 interrupted.
Environment: SWARMD_HOST, DOCKER_HOST, SWARMD_CONTEXT, SWARMD_TLS_CA, SWARMD_TLS_CERT, SWARMD_TLS_KEY, NO_COLOR.
`;

export function buildProgram(terminal: Terminal): Command {
  const program = addGlobalOptions(new Command('swarmctl'))
    .description('Look at and change a swarm.')
    .version(`swarmctl ${VERSION}`, '-V, --version')
    .enablePositionalOptions()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .showHelpAfterError('(see --help)')
    .addHelpText(
      'after',
      `\nExamples:\n  swarmctl service ls\n  swarmctl --host tcp://10.0.0.1:2375 node ls\n${EXIT_CODES}`,
    );

  program.commandsGroup('Workloads:');
  const service = program.command('service').description('Services: what shall run, and how often');
  serviceCreate(service, terminal);
  serviceList(service, terminal);
  servicePs(service, terminal);
  inspectCommand(service, terminal, 'service', 'services');
  serviceUpdate(service, terminal);
  serviceScale(service, terminal);
  serviceRollback(service, terminal);
  removeCommand(service, terminal, 'service', 'services');
  logsCommand(service, terminal, 'service');
  serviceExplain(service, terminal);
  const plan = program.command('plan').description('What a change of a service would do, without doing it');
  for (const add of [serviceCreate, serviceUpdate, serviceScale]) add(plan, terminal);
  const task = program.command('task').description('Tasks: single runs of a service on a node');
  taskList(task, terminal);
  inspectCommand(task, terminal, 'task', 'tasks');
  logsCommand(task, terminal, 'task');
  stackCommands(program, terminal);
  storedCommands(program, terminal, 'secret');
  storedCommands(program, terminal, 'config');
  networkCommands(program, terminal);

  program.commandsGroup('Cluster:');
  const swarm = program.command('swarm').description('The swarm itself: found it, join it, change it');
  for (const add of [swarmInit, swarmJoin, swarmLeave, swarmJoinToken, swarmUpdate]) add(swarm, terminal);
  for (const add of [swarmCa, swarmUnlock, swarmUnlockKey]) add(swarm, terminal);
  const node = program.command('node').description('Nodes: the machines of the swarm');
  nodeList(node, terminal);
  nodePs(node, terminal);
  inspectCommand(node, terminal, 'node', 'nodes');
  for (const add of [nodeUpdate, nodePromote, nodeDemote]) add(node, terminal);
  removeCommand(node, terminal, 'node', 'nodes', {
    force: 'remove it even if it is not down',
    question: (names) => `Remove ${names} even if still in use?`,
  });

  program.commandsGroup('Observe:');
  for (const add of [topCommand, infoCommand, statusCommand, eventsCommand]) add(program, terminal);

  doctorCommand(program, terminal);

  program.commandsGroup('Client:');
  contextCommands(program, terminal);
  const completion = program
    .command('completion <shell>')
    .description('Print a script that completes commands, flags and names');
  completion.registeredArguments[0]?.choices([...SHELLS]);
  completion.action((shell: Shell) => terminal.out(completionScript(shell)));
  program
    .command('__complete [words...]', { hidden: true })
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      for (const word of await complete(program, words)) terminal.out(`${word}\n`);
    });
  addExamples(program);
  return program;
}

/** Runs the program; resolves with its exit code. */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal): Promise<number> {
  const program = buildProgram(terminal);
  const throwInstead = (command: Command): void => {
    command.exitOverride();
    command.commands.forEach(throwInstead);
  };
  throwInstead(program);
  try {
    if (argv.length <= 2) {
      program.outputHelp({ error: true });
      return USAGE;
    }
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    const known = toSwarmError(error);
    terminal.err(`swarmctl: ${errorText(known)}\n`);
    return known instanceof UsageError ? USAGE : ERROR_KINDS[known.code].exit;
  }
}

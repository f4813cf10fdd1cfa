/** Runs interaction scripts: commands to a group of nodes and the network between them. */
import { CommandError } from '../command-error.ts';
import type { Directive } from '../data-file.ts';
import type { Script } from '../script.ts';
import { groupCommands } from './group-commands.ts';
import { networkCommands } from './network-commands.ts';
import { nodeCommands } from './node-commands.ts';
import { Environment } from './environment.ts';

/** Carries a directive out; what it has to say goes to the output of the environment. */
export type Command = (environment: Environment, directive: Directive) => void;

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ...Object.entries(groupCommands),
  ...Object.entries(nodeCommands),
  ...Object.entries(networkCommands),
]);

export function interactionScript(): Script {
  const environment = new Environment();
  const { output } = environment;
  return {
    run(directive) {
      output.clear();
      try {
        const command = COMMANDS.get(directive.command);
        if (command === undefined) throw new CommandError('unknown command');
        command(environment, directive);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        // An error is a result even when nothing is printed.
        if (output.isQuiet) return error.message;
        output.print(error.message);
      }
      return output.text === '' ? 'ok' : output.text;
    },
  };
}

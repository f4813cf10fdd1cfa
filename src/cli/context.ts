/** What every command gets: the client, the terminal and how to print. */
import { Option, type Command } from 'commander';
import { ApiClient } from './client.ts';
import { endpointOf } from './endpoint.ts';
import { OUTPUTS, type Output, type OutputOptions } from './output.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export interface CommandContext {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly output: OutputOptions;
}

type Flags = Readonly<Record<string, unknown>>;
export type Action = (context: CommandContext, args: readonly string[], flags: Flags) => Promise<void>;

const GLOBAL: readonly (string | undefined)[] = [
  '--host',
  '--context',
  '--tls-ca',
  '--tls-cert',
  '--tls-key',
  '--output',
];
const isGlobal = (long: string | undefined): boolean => GLOBAL.includes(long);
const HELP = new Option('-h, --help', 'display help for command');

/** Options of the program itself; they may stand before or after the command. */
export function addGlobalOptions(command: Command): Command {
  return command
    .addOption(new Option('-H, --host <address>', 'API of a manager (env SWARMD_HOST, DOCKER_HOST)'))
    .addOption(new Option('--context <name>', 'context to use (env SWARMD_CONTEXT); see "swarmctl context"'))
    .addOption(new Option('--tls-ca <file>', 'authority of the server certificate (PEM)').env('SWARMD_TLS_CA'))
    .addOption(new Option('--tls-cert <file>', 'client certificate (PEM)').env('SWARMD_TLS_CERT'))
    .addOption(new Option('--tls-key <file>', 'key of the client certificate (PEM)').env('SWARMD_TLS_KEY'))
    .addOption(
      new Option(
        '-o, --output <form>',
        'how to print, also what a command has changed; nothing where it has nothing to show',
      ).choices(OUTPUTS),
    );
}

/** Adds --quiet, --no-trunc, --filter, --format. */
export const addListOptions = (command: Command): Command =>
  addFilterAndFormat(command.option('-q, --quiet', 'print ids only').option('--no-trunc', 'print whole ids and texts'));

/** Adds --filter, --format. */
export const addFilterAndFormat = (command: Command): Command =>
  command
    .option('-f, --filter <key=value>', 'list only what matches; may be repeated', collect)
    .option('--format <template>', 'print with a template, for example "{{.Name}}", or "json"');

/** Adds --watch. */
export const addWatch = (command: Command): Command =>
  command.option('-w, --watch', 'follow changes until interrupted: the table is redrawn, or changed rows are printed');

/** Collects the values of an option that may be repeated. */
export const collect = (text: string, earlier: readonly string[] | undefined): readonly string[] => [
  ...(earlier ?? []),
  text,
];

/** All forms but `name`, for commands that show what has no name; the first is the default. */
export const nameless = (first: Output = 'table'): readonly Output[] => [
  first,
  ...OUTPUTS.filter((form) => form !== 'name' && form !== first),
];

/** Throws a UsageError for a form that a command does not have. */
export function requireOutput({ output }: OutputOptions, possible: readonly Output[]): void {
  if (possible.includes(output)) return;
  throw new UsageError(`--output ${output}: this command has no such form; there are ${possible.join(', ')}`);
}

/** Of commands that change only what flags say: throws a UsageError when there is none. */
export function requireFlag(command: Command): void {
  const own = command.options.filter((option) => !isGlobal(option.long));
  if (own.some((option) => command.getOptionValueSource(option.attributeName()) === 'cli')) return;
  const flags = own.map((option) => option.long).join(', ');
  throw new UsageError(`there is nothing to change: give at least one of ${flags}`);
}

/** Sets what a command does. It has all forms of output with this default, or those listed with the first as default. */
export function action(command: Command, terminal: Terminal, forms: Output | readonly Output[], run: Action): Command {
  const possible = typeof forms === 'string' ? OUTPUTS : forms;
  const defaultOutput = typeof forms === 'string' ? forms : (forms[0] ?? 'table');
  // The program's own options may follow the command; its help lists them as those of the program.
  const own = addGlobalOptions(command);
  own.configureHelp({
    showGlobalOptions: true,
    visibleOptions: (shown) => shown.options.filter((o) => !o.hidden && !isGlobal(o.long)).concat(HELP),
  });
  return own.action(async (...given: unknown[]) => {
    const flags = command.optsWithGlobals<Flags>();
    const args = given
      .slice(0, -2)
      .flatMap((arg) =>
        Array.isArray(arg)
          ? (arg as string[])
          : arg === undefined
            ? []
            : [typeof arg === 'string' ? arg : JSON.stringify(arg)],
      );
    const text = (name: string): string | undefined => (typeof flags[name] === 'string' ? flags[name] : undefined);
    const output: OutputOptions = {
      output: (text('output') as Output | undefined) ?? defaultOutput,
      format: text('format'),
      quiet: flags['quiet'] === true,
      noTrunc: flags['trunc'] === false,
    };
    requireOutput(output, possible);
    const endpoint = {
      host: text('host'),
      context: text('context'),
      tlsCa: text('tlsCa'),
      tlsCert: text('tlsCert'),
      tlsKey: text('tlsKey'),
    };
    let client: ApiClient | undefined;
    const context = {
      // Made when it is asked for: not every command talks to a manager.
      get client() {
        return (client ??= new ApiClient(endpointOf(endpoint)));
      },
      terminal,
      output,
    };
    await run(context, args, flags);
  });
}

export const textFlag = (flags: Flags, name: string): string | undefined =>
  flags[name] === undefined ? undefined : String(flags[name] as string);
export const listFlag = (flags: Flags, name: string): readonly string[] | undefined =>
  flags[name] as readonly string[] | undefined;
export const isSet = (flags: Flags, name: string): boolean => flags[name] === true;
export type { Flags };

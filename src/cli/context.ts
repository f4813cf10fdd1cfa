/** What every command gets: the client, the terminal and how to print. */
import { Option, type Command } from 'commander';
import { SwarmError } from '../common/errors.ts';
import { ApiClient } from './client.ts';
import { OUTPUTS, type Output, type OutputOptions, type Terminal } from './output.ts';

export interface CommandContext {
  readonly client: ApiClient;
  readonly terminal: Terminal;
  readonly output: OutputOptions;
}

type Flags = Readonly<Record<string, unknown>>;
export type Action = (context: CommandContext, args: readonly string[], flags: Flags) => Promise<void>;

/** Default address: what SWARMD_HOST or DOCKER_HOST say, else the socket a local daemon serves. */
const defaultHost = (): string =>
  `unix://${process.getuid?.() === 0 ? '/run/swarmd.sock' : `${process.env['XDG_RUNTIME_DIR'] ?? '/tmp'}/swarmd.sock`}`;

/** Options of the program itself; they may stand before or after the command. */
export function addGlobalOptions(command: Command): Command {
  return command
    .addOption(new Option('-H, --host <address>', 'API of a manager (env SWARMD_HOST, DOCKER_HOST)'))
    .addOption(new Option('--tls-ca <file>', 'authority of the server certificate (PEM)').env('SWARMD_TLS_CA'))
    .addOption(new Option('--tls-cert <file>', 'client certificate (PEM)').env('SWARMD_TLS_CERT'))
    .addOption(new Option('--tls-key <file>', 'key of the client certificate (PEM)').env('SWARMD_TLS_KEY'))
    .addOption(new Option('-o, --output <form>', 'how to print').choices(OUTPUTS));
}

/** Adds --quiet, --no-trunc, --format. */
export const addListOptions = (command: Command): Command =>
  command
    .option('-q, --quiet', 'print ids only')
    .option('--no-trunc', 'print whole ids and texts')
    .option('-f, --filter <key=value>', 'list only what matches; may be repeated', collect)
    .option('--format <template>', 'print with a template, for example "{{.Name}}", or "json"');

/** Collects the values of an option that may be repeated. */
export const collect = (text: string, earlier: readonly string[] | undefined): readonly string[] => [
  ...(earlier ?? []),
  text,
];

/** Sets what a command does. */
export function action(command: Command, terminal: Terminal, defaultOutput: Output, run: Action): Command {
  return command.action(async (...given: unknown[]) => {
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
    await run({ client: clientOf(text), terminal, output }, args, flags);
  });
}

function clientOf(text: (name: string) => string | undefined): ApiClient {
  const host = text('host') ?? process.env['SWARMD_HOST'] ?? process.env['DOCKER_HOST'] ?? defaultHost();
  const [ca, cert, key] = [text('tlsCa'), text('tlsCert'), text('tlsKey')];
  if (!ca && !cert && !key) return new ApiClient({ host });
  if (!ca || !cert || !key)
    throw new SwarmError('invalidArgument', '--tls-ca, --tls-cert and --tls-key belong together: give all three');
  return new ApiClient({ host, tls: { ca, cert, key } });
}

export const textFlag = (flags: Flags, name: string): string | undefined =>
  flags[name] === undefined ? undefined : String(flags[name] as string);
export const listFlag = (flags: Flags, name: string): readonly string[] | undefined =>
  flags[name] as readonly string[] | undefined;
export const isSet = (flags: Flags, name: string): boolean => flags[name] === true;
export type { Flags };

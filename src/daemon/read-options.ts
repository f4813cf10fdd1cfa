/** From flags, environment and config file to the options of a command. What is wrong is refused before anything is started. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { errorText, SwarmError } from '../common/errors.ts';
import {
  environmentName,
  flagName,
  isSwitch,
  OPTION_DEFINITIONS,
  type CommandName,
  type DaemonOptions,
  type OptionDefinition,
  type OptionsOf,
} from './options.ts';
import { joinToken, yesOrNo } from './option-values.ts';

/** Adds the options of a command to it, and `--config`. */
export function addOptions(command: Command, name: CommandName): Command {
  command.addOption(
    new Option('--config <file>', 'YAML file with settings; its keys are the flags without dashes').env(
      'SWARMD_CONFIG',
    ),
  );
  for (const definition of definitionsOf(name)) {
    const { flags, describe, choices, repeats, parse } = definition;
    const option = new Option(flags, describe);
    // An empty variable is an unset one, as compose files and unit files make them.
    if (process.env[environmentName(flags)] !== '') option.env(environmentName(flags));
    if (choices) option.choices(choices);
    if (repeats) {
      option.argParser((text: string, earlier: readonly unknown[] | undefined) => [
        ...(earlier ?? []),
        ...text.split(',').map((part) => (parse ? parse(part) : part)),
      ]);
    } else if (parse) option.argParser(parse);
    if (definition.default !== undefined) {
      const value = parse ? parse(definition.default) : definition.default;
      option.default(value, definition.defaultText ?? definition.default);
    }
    command.addOption(option);
  }
  return command;
}

/**
 * The settings a command was started with. Throws invalidArgument naming the setting, what was given and the remedy; for the
 * config file its name and the key.
 */
export function readOptions<Name extends CommandName>(command: Command, name: Name): OptionsOf[Name] {
  const file = command.getOptionValue('config') as string | undefined;
  if (file !== undefined) takeConfigFile(command, name, file);
  const values: Record<string, unknown> = { api: [], join: [], label: [] };
  for (const definition of definitionsOf(name)) {
    const attribute = attributeOf(definition);
    const value: unknown = isSwitch(definition) ? switchValue(command, definition) : command.getOptionValue(attribute);
    if (value !== undefined) values[definition.key] = value;
  }
  const options = values as unknown as OptionsOf[Name];
  const token = tokenOf(options.token);
  if ('raftElectionTicks' in options) refuseContradictions(options);
  return { ...options, token };
}

const definitionsOf = (name: CommandName): readonly OptionDefinition[] =>
  OPTION_DEFINITIONS.filter((definition) => definition.commands.includes(name));

/** Name under which commander keeps the value of a flag. */
const attributeOf = ({ flags }: OptionDefinition): string =>
  flagName(flags).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Commander takes any value in the environment for "yes". */
function switchValue(command: Command, definition: OptionDefinition): boolean {
  const attribute = attributeOf(definition);
  if (command.getOptionValueSource(attribute) !== 'env') return command.getOptionValue(attribute) === true;
  const variable = environmentName(definition.flags);
  return orRefuse(`${variable}="${process.env[variable] ?? ''}"`, () => yesOrNo(process.env[variable] ?? ''));
}

/** What the file says holds where neither flag nor environment says anything. */
function takeConfigFile(command: Command, name: CommandName, file: string): void {
  for (const [definition, value] of configFile(file, name)) {
    const source = command.getOptionValueSource(attributeOf(definition));
    if (source === undefined || source === 'default')
      command.setOptionValueWithSource(attributeOf(definition), value, 'config');
  }
}

function configFile(file: string, name: CommandName): readonly (readonly [OptionDefinition, unknown])[] {
  const where = `config file ${file}`;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(where, `${errorText(error)}; name a file that this user can read`, error);
  }
  let content: unknown;
  try {
    content = parseYaml(text);
  } catch (error) {
    throw refused(where, errorText(error), error);
  }
  if (content === null || content === undefined) return [];
  if (typeof content !== 'object' || Array.isArray(content))
    throw refused(where, 'it must hold lines of "key: value"; the keys are flags without dashes');
  return Object.entries(content).map(([key, value]) => {
    const definition = OPTION_DEFINITIONS.find(({ flags }) => flagName(flags) === key);
    if (!definition)
      throw refused(where, `unknown key "${key}"; the keys are the flags of "swarmd ${name} --help" without dashes`);
    if (!definition.commands.includes(name)) {
      const others = definition.commands.map((command) => `"swarmd ${command}"`).join(', ');
      throw refused(where, `the key "${key}" is not for "swarmd ${name}" but for ${others}; remove it`);
    }
    return [definition, configValue(definition, value, `${where}: ${key}`)] as const;
  });
}

function configValue(definition: OptionDefinition, value: unknown, where: string): unknown {
  const { choices, repeats, parse } = definition;
  const given = JSON.stringify(value);
  if (isSwitch(definition)) {
    if (typeof value !== 'boolean') throw refused(where, `${given} is no yes or no; write true or false`);
    return value;
  }
  const one = (part: unknown): unknown => {
    if (typeof part !== 'string' && typeof part !== 'number') {
      const wanted = repeats ? 'a list of texts' : 'one text or number';
      throw refused(where, `${given} is of the wrong type; write ${wanted}`);
    }
    const text = String(part);
    if (choices && !choices.includes(text)) throw refused(where, `"${text}" is not one of ${choices.join(', ')}`);
    return parse ? orRefuse(`${where}: "${text}"`, () => parse(text)) : text;
  };
  return repeats ? (Array.isArray(value) ? value : [value]).map(one) : one(value);
}

/** A token may be kept in a file, where not every user of the machine sees it. */
function tokenOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (!given.startsWith('@')) return orRefuse('--token', () => joinToken(given));
  let text: string;
  try {
    text = readFileSync(given.slice(1), 'utf8').trim();
  } catch (error) {
    throw refused(`--token ${given}`, `${errorText(error)}; name a file that holds the token`, error);
  }
  return orRefuse(`--token ${given}`, () => joinToken(text));
}

function refuseContradictions({
  apiTlsCa,
  apiTlsCert,
  apiTlsKey,
  raftElectionTicks,
  raftHeartbeatTicks,
}: DaemonOptions): void {
  const tls = [apiTlsCa, apiTlsCert, apiTlsKey].filter((file) => file !== undefined);
  if (tls.length > 0 && tls.length < 3)
    throw refused('--api-tls-ca, --api-tls-cert, --api-tls-key', 'they belong together; give all three');
  if (raftElectionTicks <= raftHeartbeatTicks)
    throw refused(
      `--raft-election-ticks ${raftElectionTicks}`,
      `it must be above --raft-heartbeat-ticks ${raftHeartbeatTicks}; 10 times as many do well`,
    );
}

function orRefuse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw refused(what, error.message, error);
    throw error;
  }
}

const refused = (what: string, why: string, cause?: unknown): SwarmError =>
  new SwarmError('invalidArgument', `${what}: ${why}`, { cause });

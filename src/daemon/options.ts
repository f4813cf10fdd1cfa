/**
 * Every setting of the daemon, once: its flag, environment variable, key in the config file, default and meaning.
 * Later sources win: default, config file, environment, flag.
 */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { hostname } from 'node:os';
import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { errorText, SwarmError } from '../common/errors.ts';
import { stateHome } from '../common/local-socket.ts';
import { LOG_LEVELS, type LogLevel } from '../common/log.ts';
import { STRATEGIES, type Strategy } from '../common/service-labels.ts';
import { parseDurationMs } from '../common/time.ts';

const RUNTIMES = ['process', 'docker', 'scripted', 'hollow', 'none'] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

export interface DaemonOptions {
  readonly dataDir: string;
  readonly listenAddr: string;
  readonly advertiseAddr: string | undefined;
  readonly api: readonly string[];
  readonly apiTlsCa: string | undefined;
  readonly apiTlsCert: string | undefined;
  readonly apiTlsKey: string | undefined;
  readonly join: readonly string[];
  readonly token: string | undefined;
  readonly runtime: RuntimeName;
  readonly engine: string | undefined;
  readonly name: string;
  readonly label: readonly string[];
  readonly availability: 'active' | 'pause' | 'drain';
  readonly strategy: Strategy | undefined;
  readonly heartbeatMs: number | undefined;
  readonly raftTickMs: number;
  readonly raftElectionTicks: number;
  readonly raftHeartbeatTicks: number;
  readonly logLevel: LogLevel;
}

/** Commands that run a daemon. */
type Command_ = 'manager' | 'worker' | 'node' | 'up' | 'hollow';

export interface OptionDefinition {
  readonly key: keyof DaemonOptions;
  readonly flags: string;
  readonly describe: string;
  readonly commands: readonly Command_[];
  readonly default?: string;
  /** The default in words, where it depends on the machine. */
  readonly defaultText?: string;
  readonly choices?: readonly string[];
  readonly repeats?: boolean;
  readonly parse?: (text: string) => unknown;
}

export const DEFAULT_LISTEN_ADDRESS = '0.0.0.0:2377';

const MEMBERS = ['manager', 'worker', 'node'] as const;
const ALL = ['manager', 'worker', 'node', 'up', 'hollow'] as const;
/** Workers too: one that is promoted becomes a manager without being started again. */
const MANAGERS = ['manager', 'worker', 'node', 'up'] as const;

/** Where state lives unless said otherwise: /var/lib/swarmd for root, else below XDG_STATE_HOME. */
const defaultDataDir = (): string => `${stateHome()}/swarmd`;

const integer =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < from || value > to)
      throw new InvalidArgumentError(`give a whole number from ${from} to ${to}.`);
    return value;
  };

const duration = (text: string): number => {
  try {
    return parseDurationMs(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
};

const label = (text: string): string => {
  if (!/^[^=\s]+(=.*)?$/.test(text)) throw new InvalidArgumentError('write key=value.');
  return text;
};

export const OPTION_DEFINITIONS: readonly OptionDefinition[] = [
  {
    key: 'dataDir',
    flags: '--data-dir <dir>',
    describe: 'folder that holds all state of this node',
    commands: ['manager', 'worker', 'node', 'up'],
    default: defaultDataDir(),
    defaultText: '/var/lib/swarmd for root, else swarmd in XDG_STATE_HOME or ~/.local/state',
  },
  {
    key: 'listenAddr',
    flags: '--listen-addr <host:port>',
    describe: 'address for managers and agents (port 0 picks one)',
    commands: MANAGERS,
    default: DEFAULT_LISTEN_ADDRESS,
  },
  {
    key: 'advertiseAddr',
    flags: '--advertise-addr <host[:port]>',
    describe: 'address at which other nodes reach this one',
    commands: [...MANAGERS],
  },
  {
    key: 'api',
    flags: '--api <address>',
    describe: 'where to serve the Docker API: unix:///path.sock or tcp://host:port; may be repeated',
    commands: ['manager', 'worker', 'node', 'up'],
    defaultText: '/run/swarmd.sock for root, else swarmd.sock in XDG_RUNTIME_DIR or beside the state folder',
    repeats: true,
  },
  {
    key: 'apiTlsCa',
    flags: '--api-tls-ca <file>',
    describe: 'authority that client certificates on tcp:// must come from (PEM)',
    commands: ['manager', 'worker', 'node', 'up'],
  },
  {
    key: 'apiTlsCert',
    flags: '--api-tls-cert <file>',
    describe: 'certificate for tcp:// (PEM)',
    commands: ['manager', 'worker', 'node', 'up'],
  },
  {
    key: 'apiTlsKey',
    flags: '--api-tls-key <file>',
    describe: 'key of that certificate (PEM)',
    commands: ['manager', 'worker', 'node', 'up'],
  },
  {
    key: 'join',
    flags: '--join <host:port>',
    describe: 'a manager of the swarm to join; may be repeated',
    commands: ['manager', 'worker', 'hollow'],
    repeats: true,
  },
  {
    key: 'token',
    flags: '--token <token>',
    describe: 'join token of that swarm; @file reads it from a file',
    commands: ['manager', 'worker', 'hollow'],
  },
  {
    key: 'runtime',
    flags: '--runtime <name>',
    describe: 'what runs the tasks of this node',
    commands: ['manager', 'worker', 'node', 'up'],
    default: 'process',
    choices: RUNTIMES,
  },
  {
    key: 'engine',
    flags: '--engine <address>',
    describe: 'Docker Engine of the docker runtime',
    commands: ['manager', 'worker', 'node', 'up'],
    default: 'unix:///var/run/docker.sock',
  },
  {
    key: 'name',
    flags: '--name <name>',
    describe: 'host name this node reports',
    commands: [...MEMBERS, 'up'],
    default: hostname(),
    defaultText: 'name of the machine',
  },
  {
    key: 'label',
    flags: '--label <key=value>',
    describe: 'engine label of this node, for constraints on engine.labels; may be repeated',
    commands: ['manager', 'worker', 'node', 'up'],
    repeats: true,
    parse: label,
  },
  {
    key: 'availability',
    flags: '--availability <state>',
    describe: 'whether this node takes tasks when it joins',
    commands: [...MEMBERS, 'up'],
    default: 'active',
    choices: ['active', 'pause', 'drain'],
  },
  {
    key: 'strategy',
    flags: '--strategy <name>',
    describe: 'default placement strategy of a new swarm',
    commands: MANAGERS,
    choices: STRATEGIES,
  },
  {
    key: 'heartbeatMs',
    flags: '--heartbeat-period <duration>',
    describe: 'heartbeat period of agents in a new swarm',
    commands: MANAGERS,
    parse: duration,
  },
  {
    key: 'raftTickMs',
    flags: '--raft-tick <duration>',
    describe: 'length of one raft tick',
    commands: MANAGERS,
    default: '100ms',
    parse: duration,
  },
  {
    key: 'raftElectionTicks',
    flags: '--raft-election-ticks <n>',
    describe: 'ticks without a leader before an election',
    commands: MANAGERS,
    default: '10',
    parse: integer(2, 1000),
  },
  {
    key: 'raftHeartbeatTicks',
    flags: '--raft-heartbeat-ticks <n>',
    describe: 'ticks between heartbeats of the leader',
    commands: MANAGERS,
    default: '1',
    parse: integer(1, 100),
  },
  {
    key: 'logLevel',
    flags: '--log-level <level>',
    describe: 'least important messages to log',
    commands: ALL,
    default: 'info',
    choices: LOG_LEVELS,
  },
];

/** Environment variable of an option: --data-dir is SWARMD_DATA_DIR. */
export const environmentName = (flags: string): string =>
  `SWARMD_${flagName(flags).toUpperCase().replaceAll('-', '_')}`;
/** Key in the config file: the flag without its dashes. */
export const flagName = (flags: string): string => /^--([a-z-]+)/.exec(flags)?.[1] ?? flags;

/** Adds the options of a command to it, and `--config`. */
export function addOptions(command: Command, name: Command_): Command {
  command.addOption(
    new Option('--config <file>', 'YAML file with settings; its keys are the flags without dashes').env(
      'SWARMD_CONFIG',
    ),
  );
  for (const definition of OPTION_DEFINITIONS.filter((d) => d.commands.includes(name))) {
    const option = new Option(definition.flags, definition.describe).env(environmentName(definition.flags));
    if (definition.choices) option.choices(definition.choices);
    if (definition.repeats) {
      option.argParser((text: string, earlier: readonly string[] | undefined) => [
        ...(earlier ?? []),
        ...text.split(',').map((t) => (definition.parse ? (definition.parse(t) as string) : t)),
      ]);
    } else if (definition.parse) option.argParser(definition.parse);
    if (typeof definition.default === 'string') {
      const value = definition.parse ? definition.parse(definition.default) : definition.default;
      option.default(value, definition.defaultText ?? definition.default);
    }
    command.addOption(option);
  }
  return command;
}

/** The settings a command was started with. Throws invalidArgument naming file and key when the config file is wrong. */
export function readOptions(command: Command, name: Command_): DaemonOptions {
  const file = command.getOptionValue('config') as string | undefined;
  const fromFile = file === undefined ? {} : readConfigFile(file, name);
  const values: Record<string, unknown> = { api: [], join: [], label: [] };
  for (const definition of OPTION_DEFINITIONS) {
    const attribute = camelCase(flagName(definition.flags));
    const value: unknown = command.getOptionValue(attribute);
    const isDefault = command.getOptionValueSource(attribute) === 'default' || value === undefined;
    const configured = fromFile[definition.key];
    if (isDefault && configured !== undefined) values[definition.key] = configured;
    else if (value !== undefined) values[definition.key] = value;
  }
  const token = values['token'];
  if (typeof token === 'string' && token.startsWith('@')) values['token'] = readSecretFile(token.slice(1));
  return values as unknown as DaemonOptions;
}

function readConfigFile(file: string, name: Command_): Partial<Record<keyof DaemonOptions, unknown>> {
  const wrong = (why: string, cause?: unknown): SwarmError =>
    new SwarmError('invalidArgument', `config file ${file}: ${why}`, { cause });
  let content: unknown;
  try {
    content = parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong(errorText(error), error);
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) throw wrong('it must hold keys and values');
  const settings: Partial<Record<keyof DaemonOptions, unknown>> = {};
  for (const [key, value] of Object.entries(content)) {
    const definition = OPTION_DEFINITIONS.find((d) => flagName(d.flags) === key);
    if (!definition)
      throw wrong(`unknown key "${key}"; the keys are the flags of "swarmd ${name} --help" without dashes`);
    const texts = (Array.isArray(value) ? value : [value]).map((v) => String(v));
    if (!definition.repeats && texts.length !== 1) throw wrong(`${key} takes one value`);
    for (const text of texts) {
      if (definition.choices && !definition.choices.includes(text))
        throw wrong(`${key}: "${text}" is not one of ${definition.choices.join(', ')}`);
    }
    try {
      const parsed = texts.map((text) => (definition.parse ? definition.parse(text) : text));
      settings[definition.key] = definition.repeats ? parsed : parsed[0];
    } catch (error) {
      throw wrong(`${key}: ${errorText(error)}`, error);
    }
  }
  return settings;
}

function readSecretFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new SwarmError('invalidArgument', `--token @${file}: ${errorText(error)}`, { cause: error });
  }
}

const camelCase = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

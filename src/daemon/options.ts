/**
 * Every setting of the daemon, once: its flag, environment variable, key in the config file, default and meaning.
 * Later sources win: default, config file, environment, flag.
 */
import { hostname } from 'node:os';
import { DEFAULT_API_VERSION, MAX_API_MINOR, MIN_API_MINOR } from '../api/api-version.ts';
import { stateHome } from '../common/local-socket.ts';
import { LOG_LEVELS, type LogLevel } from '../common/log.ts';
import { STRATEGIES, type Strategy } from '../common/service-labels.ts';
import type { RangeMs } from '../worker/drivers/hollow-driver.ts';
import * as read from './option-values.ts';

const RUNTIMES = ['process', 'docker', 'scripted', 'hollow', 'none'] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

export interface DaemonOptions {
  readonly dataDir: string;
  readonly listenAddr: string;
  readonly advertiseAddr: string | undefined;
  readonly api: readonly string[];
  /** As in "1.41". */
  readonly apiVersion: string;
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

/** What `swarmd up` takes besides. */
export interface UpOptions extends DaemonOptions {
  readonly demo: boolean;
}

export interface HollowOptions extends Pick<DaemonOptions, 'join' | 'token' | 'logLevel'> {
  readonly nodes: number;
  /** Beginning of the host names. */
  readonly prefix: string;
  readonly startMs: RangeMs | undefined;
  readonly runMs: RangeMs | undefined;
  readonly failureRate: number | undefined;
  /** Print what became of tasks, as lines of JSON. */
  readonly counts: boolean;
}

/** Commands that run a daemon, with what each reads. */
export interface OptionsOf {
  readonly manager: DaemonOptions;
  readonly worker: DaemonOptions;
  readonly node: DaemonOptions;
  readonly up: UpOptions;
  readonly hollow: HollowOptions;
}
export type CommandName = keyof OptionsOf;

export interface OptionDefinition {
  readonly key: keyof UpOptions | keyof HollowOptions;
  readonly flags: string;
  readonly describe: string;
  readonly commands: readonly CommandName[];
  readonly default?: string;
  /** The default in words, where it depends on the machine. */
  readonly defaultText?: string;
  readonly choices?: readonly string[];
  readonly repeats?: boolean;
  /** Throws InvalidArgumentError with the remedy. */
  readonly parse?: (text: string) => unknown;
}

export const DEFAULT_LISTEN_ADDRESS = '0.0.0.0:2377';

/** Commands that run a node. A worker reads the settings of managers too: promoted, it becomes one without being started again. */
const NODES = ['manager', 'worker', 'node', 'up'] as const;

/** Most pretend workers of one process. */
const MAX_HOLLOW_NODES = 10_000;

/** Where state lives unless said otherwise: /var/lib/swarmd for root, else below XDG_STATE_HOME. */
const defaultDataDir = (): string => `${stateHome()}/swarmd`;

export const OPTION_DEFINITIONS: readonly OptionDefinition[] = [
  {
    key: 'dataDir',
    flags: '--data-dir <dir>',
    describe: 'folder that holds all state of this node',
    commands: NODES,
    default: defaultDataDir(),
    defaultText: '/var/lib/swarmd for root, else swarmd in XDG_STATE_HOME or ~/.local/state',
    parse: read.present,
  },
  {
    key: 'listenAddr',
    flags: '--listen-addr <host:port>',
    describe: 'address for managers and agents (port 0 picks one)',
    commands: NODES,
    default: DEFAULT_LISTEN_ADDRESS,
    parse: read.address,
  },
  {
    key: 'advertiseAddr',
    flags: '--advertise-addr <host[:port]>',
    describe: 'address at which other nodes reach this one',
    commands: NODES,
    parse: read.reachableAddress,
  },
  {
    key: 'api',
    flags: '--api <address>',
    describe: 'where to serve the Docker API: unix:///path.sock or tcp://host:port; may be repeated',
    commands: NODES,
    defaultText: '/run/swarmd.sock for root, else swarmd.sock in XDG_RUNTIME_DIR or beside the state folder',
    repeats: true,
    parse: read.apiAddress,
  },
  {
    key: 'apiVersion',
    flags: '--api-version <version>',
    describe: `newest version of the Docker API that clients are told of; requests of any from 1.${MIN_API_MINOR} to 1.${MAX_API_MINOR} are understood`,
    commands: NODES,
    default: DEFAULT_API_VERSION,
    parse: read.apiVersion,
  },
  {
    key: 'apiTlsCa',
    flags: '--api-tls-ca <file>',
    describe: 'authority that client certificates on tcp:// must come from (PEM)',
    commands: NODES,
    parse: read.present,
  },
  {
    key: 'apiTlsCert',
    flags: '--api-tls-cert <file>',
    describe: 'certificate for tcp:// (PEM)',
    commands: NODES,
    parse: read.present,
  },
  {
    key: 'apiTlsKey',
    flags: '--api-tls-key <file>',
    describe: 'key of that certificate (PEM)',
    commands: NODES,
    parse: read.present,
  },
  {
    key: 'join',
    flags: '--join <host:port>',
    describe: 'a manager of the swarm to join; may be repeated',
    commands: ['manager', 'worker', 'hollow'],
    repeats: true,
    parse: read.address,
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
    commands: NODES,
    default: 'process',
    choices: RUNTIMES,
  },
  {
    key: 'engine',
    flags: '--engine <address>',
    describe: 'Docker Engine of the docker runtime',
    commands: NODES,
    default: 'unix:///var/run/docker.sock',
    parse: read.engineAddress,
  },
  {
    key: 'name',
    flags: '--name <name>',
    describe: 'host name this node reports',
    commands: NODES,
    default: hostname(),
    defaultText: 'name of the machine',
    parse: read.present,
  },
  {
    key: 'label',
    flags: '--label <key=value>',
    describe: 'engine label of this node, for constraints on engine.labels; may be repeated',
    commands: NODES,
    repeats: true,
    parse: read.label,
  },
  {
    key: 'availability',
    flags: '--availability <state>',
    describe: 'whether this node takes tasks when it joins',
    commands: NODES,
    default: 'active',
    choices: ['active', 'pause', 'drain'],
  },
  {
    key: 'strategy',
    flags: '--strategy <name>',
    describe: 'default placement strategy of a new swarm',
    commands: NODES,
    choices: STRATEGIES,
  },
  {
    key: 'heartbeatMs',
    flags: '--heartbeat-period <duration>',
    describe: 'heartbeat period of agents in a new swarm',
    commands: NODES,
    parse: read.duration('100ms', '1h'),
  },
  {
    key: 'raftTickMs',
    flags: '--raft-tick <duration>',
    describe: 'length of one raft tick',
    commands: NODES,
    default: '100ms',
    parse: read.duration('10ms', '10s'),
  },
  {
    key: 'raftElectionTicks',
    flags: '--raft-election-ticks <n>',
    describe: 'ticks without a leader before an election',
    commands: NODES,
    default: '10',
    parse: read.integer(2, 1000),
  },
  {
    key: 'raftHeartbeatTicks',
    flags: '--raft-heartbeat-ticks <n>',
    describe: 'ticks between heartbeats of the leader',
    commands: NODES,
    default: '1',
    parse: read.integer(1, 100),
  },
  {
    key: 'demo',
    flags: '--demo',
    describe: 'create a small demo web service',
    commands: ['up'],
  },
  {
    key: 'nodes',
    flags: '--nodes <n>',
    describe: 'how many pretend workers',
    commands: ['hollow'],
    default: '10',
    parse: read.integer(1, MAX_HOLLOW_NODES, '; start more processes for more'),
  },
  {
    key: 'prefix',
    flags: '--prefix <text>',
    describe: 'beginning of the host names of pretend workers',
    commands: ['hollow'],
    default: 'hollow',
    parse: read.present,
  },
  {
    key: 'startMs',
    flags: '--start-time <from..to>',
    describe: 'how long pretended tasks take to start, as in 100ms..2s',
    commands: ['hollow'],
    parse: read.durationRange,
  },
  {
    key: 'runMs',
    flags: '--run-time <from..to>',
    describe: 'pretended tasks end with exit code 1 after this',
    commands: ['hollow'],
    parse: read.durationRange,
  },
  {
    key: 'failureRate',
    flags: '--failure-rate <share>',
    describe: 'share of the pretended tasks that fail to start, 0 to 1',
    commands: ['hollow'],
    parse: read.share,
  },
  {
    key: 'counts',
    flags: '--counts',
    describe: 'print what became of pretended tasks as lines of JSON',
    commands: ['hollow'],
  },
  {
    key: 'logLevel',
    flags: '--log-level <level>',
    describe: 'least important messages to log',
    commands: [...NODES, 'hollow'],
    default: 'info',
    choices: LOG_LEVELS,
  },
];

/** Environment variable of an option: --data-dir is SWARMD_DATA_DIR. */
export const environmentName = (flags: string): string =>
  `SWARMD_${flagName(flags).toUpperCase().replaceAll('-', '_')}`;
/** Key in the config file: the flag without its dashes. */
export const flagName = (flags: string): string => /^--([a-z-]+)/.exec(flags)?.[1] ?? flags;
/** Whether the option is there or not, without a value. */
export const isSwitch = (definition: OptionDefinition): boolean => !definition.flags.includes('<');

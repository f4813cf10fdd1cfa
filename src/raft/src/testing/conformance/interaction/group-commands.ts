/** Commands about the group as a whole: starting nodes, letting them work, showing them. */
import type { Snapshot } from '../../../types.ts';
import { EMPTY_CONF_STATE } from '../../../storage.ts';
import { bareArgument, bareArguments, optionalValue, parseBoolean, parseNumber, singleValue } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { Directive } from '../data-file.ts';
import { ROLE_NAMES } from '../describe.ts';
import type { Environment } from './environment.ts';
import { ScriptNode } from './node.ts';
import type { NodeOptions } from './node.ts';
import { parseLevel } from './output.ts';
import type { Command } from './script.ts';

const ELECTION_TICKS = 3;

export const groupCommands: Readonly<Record<string, Command>> = {
  _breakpoint: () => undefined,
  'log-level': (environment, directive) => {
    environment.output.level = parseLevel(bareArgument(directive, 0));
  },
  'add-nodes': addNodes,
  stabilize,
  'raft-state': (environment) => {
    for (const node of environment.nodes) {
      const { role, leader, term, confState } = node.core;
      const isVoter = confState.voters.includes(node.id) || confState.votersOutgoing.includes(node.id);
      const membership = isVoter ? '(Voter)' : '(Non-Voter)';
      environment.output.print(`${node.id}: ${ROLE_NAMES[role]} ${membership} Term:${term} Lead:${leader}\n`);
    }
  },
};

function addNodes(environment: Environment, directive: Directive): void {
  const count = parseNumber(bareArgument(directive, 0));
  const start = parseStart(directive);
  const options = parseOptions(environment, directive);
  if (start !== undefined && start.metadata.index <= 1) {
    throw new CommandError('index must be specified as > 1 due to bootstrap');
  }
  for (let i = 0; i < count; i++) {
    environment.nodes.push(new ScriptNode(String(environment.nodes.length + 1), options, start));
  }
}

/** The state the new nodes start from, if any is given. */
function parseStart(directive: Directive): Snapshot | undefined {
  const given = directive.args.filter((arg) => ['voters', 'learners', 'index', 'content'].includes(arg.key));
  if (given.length === 0) return undefined;
  const ids = (key: string) => given.filter((arg) => arg.key === key).flatMap((arg) => arg.values);
  const confState = { ...EMPTY_CONF_STATE, voters: ids('voters'), learners: ids('learners') };
  const index = parseNumber(optionalValue(directive, 'index') ?? '0');
  const data = new TextEncoder().encode(optionalValue(directive, 'content') ?? '');
  return { data, metadata: { confState, index, term: 1 } };
}

function parseOptions(environment: Environment, directive: Directive): NodeOptions {
  const options: { -readonly [Key in keyof NodeOptions]: NodeOptions[Key] } = {
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: 1,
    maxInflightMessages: 2 ** 31 - 1,
    // The data do not depend on the drawn timeouts.
    random: () => 0.5,
    logger: environment.output,
  };
  for (const arg of directive.args.slice(1)) {
    switch (arg.key) {
      case 'inflight':
        options.maxInflightMessages = parseNumber(singleValue(arg));
        break;
      case 'async-storage-writes':
        options.asyncStorageWrites = parseBoolean(singleValue(arg));
        break;
      case 'prevote':
        options.preVote = parseBoolean(singleValue(arg));
        break;
      case 'checkquorum':
        options.checkQuorum = parseBoolean(singleValue(arg));
        break;
      case 'max-committed-size-per-ready':
        options.maxCommittedBytesPerReady = parseNumber(singleValue(arg));
        break;
      case 'disable-conf-change-validation':
        options.disableConfChangeValidation = parseBoolean(singleValue(arg));
        break;
      case 'step-down-on-removal':
        options.stepDownOnRemoval = parseBoolean(singleValue(arg));
        break;
      case 'read-only':
        options.readOnly = parseReadOnly(singleValue(arg));
        break;
      default:
    }
  }
  return options;
}

function parseReadOnly(text: string): 'safe' | 'lease-based' {
  if (text === 'safe' || text === 'lease-based') return text;
  throw new CommandError(`invalid read-only option "${text}"`);
}

function stabilize(environment: Environment, directive: Directive): void {
  const ids = bareArguments(directive);
  const nodes = ids.length === 0 ? environment.nodes : ids.map((id) => environment.node(id));
  const { output } = environment;
  const before = output.level;
  const level = optionalValue(directive, 'log-level');
  if (level !== undefined) output.level = parseLevel(level);
  try {
    environment.stabilize(nodes);
  } finally {
    output.level = before;
  }
}

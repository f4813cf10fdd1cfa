/** Commands to one node. */
import { ConfChangeTransition, EntryType, MessageType } from '../../../types.ts';
import type { ConfChange, ConfChangeV2 } from '../../../types.ts';
import { newMessage, NO_BYTES } from '../../../messages.ts';
import type { ProposeResult } from '../../../refusal.ts';
import { bareArgument, bareArguments, optionalValue, parseBoolean, parseNumber, requiredValue } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { Directive } from '../data-file.ts';
import { describeEntries, describeMessage } from '../describe.ts';
import { parseOperations } from '../operations.ts';
import { refusalText } from './environment.ts';
import type { Environment } from './environment.ts';
import type { ScriptNode } from './node.ts';
import type { Command } from './script.ts';

export const nodeCommands: Readonly<Record<string, Command>> = {
  campaign: (environment, directive) => firstNode(environment, directive).core.campaign(),
  propose: (environment, directive) => {
    const data = new TextEncoder().encode(bareArgument(directive, 1));
    report(firstNode(environment, directive).core.propose([data]));
  },
  'propose-conf-change': (environment, directive) => {
    report(firstNode(environment, directive).core.proposeConfChange(parseChange(directive)));
  },
  'process-ready': (environment, directive) => {
    forEachNode(environment, directive, 'handling Ready', (node) => environment.processReady(node));
  },
  'process-append-thread': (environment, directive) => {
    forEachNode(environment, directive, 'processing append thread', (node) => environment.processAppendThread(node));
  },
  'process-apply-thread': (environment, directive) => {
    forEachNode(environment, directive, 'processing apply thread', (node) => environment.processApplyThread(node));
  },
  'tick-election': (environment, directive) => {
    const { core, options } = firstNode(environment, directive);
    for (let i = 0; i < options.electionTicks; i++) core.tick();
  },
  'tick-heartbeat': (environment, directive) => {
    const { core, options } = firstNode(environment, directive);
    for (let i = 0; i < options.heartbeatTicks; i++) core.tick();
  },
  'set-randomized-election-timeout': (environment, directive) => {
    const { inside } = firstNode(environment, directive);
    inside.randomizedElectionTicks = parseNumber(requiredValue(directive, 'timeout'));
  },
  status: (environment, directive) => {
    const { role, tracker } = firstNode(environment, directive).inside;
    if (role !== 'leader') return;
    for (const { id, progress } of tracker.peers) environment.output.print(`${id}: ${progress.toString()}\n`);
  },
  'raft-log': (environment, directive) => printLog(environment, firstNode(environment, directive)),
  compact: (environment, directive) => {
    const node = firstNode(environment, directive);
    if (node.storage.compact(parseNumber(bareArgument(directive, 1))) !== undefined) {
      throw new CommandError('requested index is unavailable due to compaction');
    }
    printLog(environment, node);
  },
  'transfer-leadership': (environment, directive) => {
    const target = environment.node(requiredValue(directive, 'to')).id;
    environment.node(requiredValue(directive, 'from')).core.transferLeader(target);
  },
  'forget-leader': (environment, directive) => firstNode(environment, directive).core.forgetLeader(),
  'report-unreachable': (environment, directive) => {
    firstNode(environment, directive).core.reportUnreachable(bareArgument(directive, 1));
  },
  'send-snapshot': (environment, directive) => {
    const { id, core, storage } = firstNode(environment, directive);
    const to = bareArgument(directive, 1);
    const message = newMessage({
      type: MessageType.MsgSnap,
      from: id,
      to,
      term: core.term,
      snapshot: storage.snapshot(),
    });
    environment.messages.push(message);
    environment.output.print(`${describeMessage(message)}\n`);
  },
  'read-index': (environment, directive) => {
    const data = new TextEncoder().encode(bareArgument(directive, 1));
    const entries = [{ type: EntryType.Normal, term: 0, index: 0, data }];
    firstNode(environment, directive).core.step(newMessage({ type: MessageType.MsgReadIndex, entries }));
  },
  restart: (environment, directive) => firstNode(environment, directive).restart(),
};

function firstNode(environment: Environment, directive: Directive): ScriptNode {
  return environment.node(bareArgument(directive, 0));
}

/** With several nodes each gets a header, and what it prints is indented. */
function forEachNode(
  environment: Environment,
  directive: Directive,
  header: string,
  work: (node: ScriptNode) => void,
): void {
  const nodes = bareArguments(directive).map((id) => environment.node(id));
  for (const node of nodes) {
    if (nodes.length === 1) {
      work(node);
    } else {
      environment.output.print(`> ${node.id} ${header}\n`);
      environment.output.indented(() => work(node));
    }
  }
}

/** An ill-timed configuration change is replaced by an empty entry, which is no error here. */
function report(result: ProposeResult): void {
  if (!result.ok && result.reason !== 'change-not-now') throw new CommandError(refusalText(result.reason));
}

function parseChange(directive: Directive): ConfChange | ConfChangeV2 {
  const isV1 = parseBoolean(optionalValue(directive, 'v1') ?? 'false');
  const transition = optionalValue(directive, 'transition');
  const changes = parseOperations(directive.input);
  if (!isV1) return { transition: parseTransition(transition ?? 'auto'), changes, context: NO_BYTES };
  const [only] = changes;
  if (
    only === undefined ||
    changes.length !== 1 ||
    parseTransition(transition ?? 'auto') !== ConfChangeTransition.Auto
  ) {
    throw new CommandError('v1 conf change can only have one operation and no transition');
  }
  return { id: '0', ...only, context: NO_BYTES };
}

const TRANSITIONS: Readonly<Record<string, ConfChangeTransition>> = {
  auto: ConfChangeTransition.Auto,
  implicit: ConfChangeTransition.JointImplicit,
  explicit: ConfChangeTransition.JointExplicit,
};

function parseTransition(text: string): ConfChangeTransition {
  const transition = TRANSITIONS[text];
  if (transition === undefined) throw new CommandError(`unknown transition ${text}`);
  return transition;
}

function printLog({ output }: Environment, { storage }: ScriptNode): void {
  const first = storage.firstIndex();
  const last = storage.lastIndex();
  if (last < first) {
    output.print(`log is empty: first index=${first}, last index=${last}`);
    return;
  }
  const entries = storage.entries(first, last + 1, Infinity);
  if (typeof entries === 'string') throw new CommandError(entries);
  output.print(describeEntries(entries));
}

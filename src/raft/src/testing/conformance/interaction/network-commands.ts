/** Commands to the network: delivering, dropping, duplicating and reordering messages. */
import { bareArgument, bareArguments, optionalValue, parseMessageType, parseNumber } from '../arguments.ts';
import type { Directive } from '../data-file.ts';
import { describeMessage } from '../describe.ts';
import type { Delivery, Environment } from './environment.ts';
import type { Command } from './script.ts';

export const networkCommands: Readonly<Record<string, Command>> = {
  'deliver-msgs': (environment, directive) => {
    const type = messageType(directive);
    if (environment.deliver(parseDeliveries(environment, directive), type) === 0) {
      environment.output.print('no messages');
    }
  },
  'stash-msgs': (environment, directive) => {
    const waiting = environment.waitingFor(
      { to: bareArgument(directive, 0), isDropped: false },
      messageType(directive),
    );
    const limit = optionalValue(directive, 'limit');
    const copies = limit === undefined ? waiting : waiting.slice(0, parseNumber(limit));
    environment.stash.push(...copies.map((message) => ({ ...message })));
    for (const message of copies) environment.output.print(`stashed: ${describeMessage(message)}\n`);
    if (copies.length === 0) environment.output.print('no messages');
  },
  'unstash-msgs': (environment) => {
    environment.messages.push(...environment.stash);
    environment.stash = [];
  },
};

/** In the order of the arguments: bare ids receive, those of `drop=` lose their messages. */
function parseDeliveries(environment: Environment, directive: Directive): readonly Delivery[] {
  const bare = new Set(bareArguments(directive));
  return directive.args.flatMap((arg): readonly Delivery[] => {
    if (arg.key === 'drop') return arg.values.map((to) => ({ to, isDropped: true }));
    return bare.has(arg.key) ? [{ to: environment.node(arg.key).id, isDropped: false }] : [];
  });
}

function messageType(directive: Directive) {
  const text = optionalValue(directive, 'type');
  return text === undefined ? undefined : parseMessageType(text);
}

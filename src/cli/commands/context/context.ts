/** `context`: several swarms, each by a name. */
import type { Command } from 'commander';
import { SwarmError } from '../../../common/errors.ts';
import { ApiClient } from '../../client.ts';
import { action, addListOptions, isSet, nameless, textFlag } from '../../context.ts';
import { contextNamed, readContexts, writeContexts, type Context } from '../../contexts-file.ts';
import { endpointOf, tlsOf } from '../../endpoint.ts';
import { printDone, printOutcome } from '../../outcome.ts';
import { isForPeople, printList, printValue, type Listing } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import { UsageError } from '../../usage-error.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export function contextCommands(program: Command, terminal: Terminal): void {
  const parent = program.command('context').description('Contexts: endpoints of several swarms, by name');
  contextCreate(parent, terminal);
  contextList(parent, terminal);
  contextShow(parent, terminal);
  contextUse(parent, terminal);
  contextRemove(parent, terminal);
}

function contextCreate(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('create <name>')
    .description('Remember the endpoint that --host and the --tls flags name')
    .option('--description <text>', 'what it is')
    .option('--use', 'use it from now on')
    .option('--force', 'replace a context of this name');
  action(command, terminal, 'table', async (context, [name = ''], flags) => {
    if (!NAME.test(name)) throw new UsageError(`context "${name}": use letters, digits, "_", "." and "-"`);
    const host = textFlag(flags, 'host');
    if (host === undefined) throw new UsageError('--host: name the endpoint, for example --host tcp://10.0.0.1:2376');
    const contexts = readContexts();
    if (Object.hasOwn(contexts.contexts, name) && !isSet(flags, 'force')) {
      throw new SwarmError('alreadyExists', `context "${name}" exists already; replace it with --force`);
    }
    const text = (flag: string): string | undefined => textFlag(flags, flag);
    const tls = tlsOf({ tlsCa: text('tlsCa'), tlsCert: text('tlsCert'), tlsKey: text('tlsKey') });
    const description = text('description');
    // Refuses an address that cannot be understood.
    const { host: understood } = new ApiClient({ host, tls });
    const made: Context = { host: understood, ...(description ? { description } : {}), ...(tls ? { tls } : {}) };
    writeContexts({
      ...contexts,
      ...(isSet(flags, 'use') ? { current: name } : {}),
      contexts: { ...contexts.contexts, [name]: made },
    });
    await Promise.resolve(printOutcome(context, { text: `${name}\n`, name, value: { Name: name } }));
  });
}

function contextList(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ls').alias('list').description('List the contexts'));
  action(command, terminal, 'table', async ({ output }) => {
    const { contexts, current } = readContexts();
    const items = Object.entries(contexts)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([Name, { host, description = '', tls }]) => ({
        Name,
        Current: Name === current,
        Host: host,
        Tls: tls !== undefined,
        Description: description,
      }));
    const listing: Listing<(typeof items)[number]> = {
      items,
      id: (c) => c.Name,
      name: (c) => c.Name,
      columns: [
        { header: 'NAME', value: (c) => `${c.Name}${c.Current ? ' *' : ''}` },
        { header: 'HOST', value: (c) => c.Host },
        { header: 'TLS', value: (c) => (c.Tls ? 'yes' : '') },
        { header: 'DESCRIPTION', value: (c) => c.Description },
      ],
    };
    await Promise.resolve(printList(terminal, listing, output));
  });
}

function contextShow(parent: Command, terminal: Terminal): void {
  const command = parent.command('show').description('Show which endpoint swarmctl talks to, and why');
  action(command, terminal, nameless(), async ({ output }, _args, flags) => {
    const text = (flag: string): string | undefined => textFlag(flags, flag);
    const { host, from, tls } = endpointOf({
      host: text('host'),
      context: text('context'),
      tlsCa: text('tlsCa'),
      tlsCert: text('tlsCert'),
      tlsKey: text('tlsKey'),
    });
    const shown = { host, from, tls: tls !== undefined };
    if (isForPeople(output)) terminal.out(`${host}${tls ? ' with TLS' : ''}, from ${from}\n`);
    else printValue(terminal, shown, output);
    await Promise.resolve();
  });
}

function contextUse(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('use [name]')
    .description('Use a context from now on; without a name, none: the local socket');
  action(command, terminal, 'table', async (context, [name], _flags) => {
    const { contexts, ...rest } = readContexts();
    if (name === undefined) writeContexts({ contexts });
    else {
      contextNamed({ ...rest, contexts }, name);
      writeContexts({ current: name, contexts });
    }
    for (const variable of ['SWARMD_HOST', 'DOCKER_HOST', 'SWARMD_CONTEXT']) {
      if (process.env[variable]) terminal.err(`swarmctl: ${variable} is set and goes before the context in use\n`);
    }
    if (name === undefined) printDone(context, 'no context\n');
    else printOutcome(context, { text: `${name}\n`, name, value: { Name: name } });
    await Promise.resolve();
  });
}

function contextRemove(parent: Command, terminal: Terminal): void {
  const command = parent.command('rm <names...>').alias('remove').description('Forget contexts');
  action(command, terminal, 'table', async (context, names) => {
    const stored = readContexts();
    for (const name of names) contextNamed(stored, name);
    const contexts = Object.fromEntries(Object.entries(stored.contexts).filter(([name]) => !names.includes(name)));
    const isKept = stored.current !== undefined && !names.includes(stored.current);
    writeContexts({ ...(isKept ? { current: stored.current } : {}), contexts });
    const lines = names.map((name) => `${name}\n`).join('');
    await Promise.resolve(printOutcome(context, { text: lines, name: names.join('\n'), value: names }));
  });
}

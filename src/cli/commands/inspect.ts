/** `inspect` and `rm` are the same for every noun. */
import type { Command } from 'commander';
import { errorText, SwarmError, toSwarmError } from '../../common/errors.ts';
import type { ApiClient } from '../client.ts';
import { addYes, confirm, isAgreed } from '../confirm.ts';
import { action, isSet, nameless } from '../context.ts';
import { Outcomes } from '../outcome.ts';
import { printValue } from '../output.ts';
import type { Terminal } from '../terminal.ts';

export function inspectCommand(parent: Command, terminal: Terminal, noun: string, path: string): void {
  const command = parent
    .command(`inspect <${noun}s...>`)
    .description(`Show everything about one ${noun} or more`)
    .option('--format <template>', 'print with a template, for example "{{.ID}}" or "{{json .Spec}}"');
  action(command, terminal, nameless('json'), async ({ client, output }, names) => {
    const objects: object[] = [];
    const failure = await forEach(terminal, names, async (name) => {
      objects.push(await client.get<object>(`/${path}/${encodeURIComponent(name)}`));
    });
    if (objects.length > 0) printValue(terminal, objects, output);
    if (failure) throw failure;
  });
}

interface RemoveOptions {
  /** Meaning of --force, where there is such a flag. */
  readonly force?: string;
  /** What to ask before --force removes. */
  readonly question?: (names: string) => string;
  /** What to ask before one is removed without --force, which then is for this command alone. */
  readonly caution?: (client: ApiClient, name: string) => Promise<string | undefined>;
}

export function removeCommand(
  parent: Command,
  terminal: Terminal,
  noun: string,
  path: string,
  { force, question, caution }: RemoveOptions = {},
): void {
  const command = parent.command(`rm <${noun}s...>`).alias('remove').description(`Remove one ${noun} or more`);
  if (force) addYes(command.option('-f, --force', force));
  action(command, terminal, 'table', async (context, names, flags) => {
    const isForced = isSet(flags, 'force');
    if (isForced && question) await confirm(terminal, flags, question(names.join(', ')));
    const removed = new Outcomes(context);
    const failure = await forEach(terminal, names, async (name) => {
      const asked = isForced || isSet(flags, 'yes') ? undefined : await caution?.(context.client, name);
      if (asked !== undefined && !(await isAgreed(terminal, asked))) {
        throw new SwarmError('cancelled', `${noun} ${name} was not removed: answer with y, or give --force`);
      }
      await context.client.delete(`/${path}/${encodeURIComponent(name)}`, isForced && !caution ? { force: 1 } : {});
      removed.say(`${name}\n`);
      removed.add(name);
    });
    removed.print();
    if (failure) throw failure;
  });
}

/** Goes on after a failure; all but the last are told at once, the last is returned. */
async function forEach(
  terminal: Terminal,
  names: readonly string[],
  act: (name: string) => Promise<void>,
): Promise<SwarmError | undefined> {
  let failure: SwarmError | undefined;
  for (const name of names) {
    try {
      await act(name);
    } catch (error) {
      if (failure) terminal.err(`swarmctl: ${errorText(failure)}\n`);
      failure = toSwarmError(error);
    }
  }
  return failure;
}

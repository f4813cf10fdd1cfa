/** `inspect` and `rm` are the same for every noun. */
import type { Command } from 'commander';
import { action, isSet } from '../context.ts';
import { printValue, type Terminal } from '../output.ts';

export function inspectCommand(parent: Command, terminal: Terminal, noun: string, path: string): void {
  const command = parent
    .command(`inspect <${noun}s...>`)
    .description(`Show everything about one ${noun} or more`)
    .option('--format <template>', 'print with a template, for example "{{.ID}}" or "{{json .Spec}}"');
  action(command, terminal, 'json', async ({ client, output }, names) => {
    const objects = [];
    for (const name of names) objects.push(await client.get<object>(`/${path}/${encodeURIComponent(name)}`));
    printValue(terminal, objects, output);
  });
}

export function removeCommand(
  parent: Command,
  terminal: Terminal,
  noun: string,
  path: string,
  options: { readonly force?: string } = {},
): void {
  const command = parent.command(`rm <${noun}s...>`).alias('remove').description(`Remove one ${noun} or more`);
  if (options.force) command.option('--force', options.force);
  action(command, terminal, 'table', async ({ client }, names, flags) => {
    for (const name of names) {
      await client.delete(`/${path}/${encodeURIComponent(name)}`, isSet(flags, 'force') ? { force: 1 } : {});
      terminal.out(`${name}\n`);
    }
  });
}

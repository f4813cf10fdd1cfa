/** `secret` and `config`: the same verbs on the same kind of object. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { errorText } from '../../../common/errors.ts';
import { action, addListOptions, collect, listFlag } from '../../context.ts';
import { printOutcome } from '../../outcome.ts';
import { ago, printList, type Listing } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import type { NamedObject } from '../../types.ts';
import { UsageError } from '../../usage-error.ts';
import { filters, keyValues } from '../../values.ts';
import { inspectCommand, removeCommand } from '../inspect.ts';

export function storedCommands(program: Command, terminal: Terminal, noun: 'secret' | 'config'): void {
  const what =
    noun === 'secret' ? 'Secrets: data that only the tasks which need it may see' : 'Configs: files for tasks';
  const parent = program.command(noun).description(what);
  const path = `${noun}s`;

  const create = parent
    .command('create <name> <file>')
    .description(`Store a ${noun} from a file, or from standard input with -`)
    .option('-l, --label <key=value>', 'label; may be repeated', collect);
  action(create, terminal, 'table', async (context, [name = '', file = ''], flags) => {
    const body = {
      Name: name,
      Labels: keyValues('--label', listFlag(flags, 'label') ?? []),
      Data: read(file).toString('base64'),
    };
    const { ID } = await context.client.post<{ ID: string }>(`/${path}/create`, undefined, body);
    printOutcome(context, { text: `${ID}\n`, name, value: { ID, Name: name } });
  });

  const list = addListOptions(parent.command('ls').alias('list').description(`List the ${path}`));
  action(list, terminal, 'table', async ({ client, output }, _args, flags) => {
    const items = await client.get<readonly NamedObject[]>(`/${path}`, { filters: filters(listFlag(flags, 'filter')) });
    const listing: Listing<NamedObject> = {
      items: [...items].sort((a, b) => a.Spec.Name.localeCompare(b.Spec.Name)),
      id: (o) => o.ID,
      name: (o) => o.Spec.Name,
      columns: [
        { header: 'ID', value: (o) => o.ID },
        { header: 'NAME', value: (o) => o.Spec.Name },
        { header: 'CREATED', value: (o) => ago(o.CreatedAt) },
        { header: 'UPDATED', value: (o) => ago(o.UpdatedAt) },
      ],
    };
    printList(terminal, listing, output);
  });
  inspectCommand(parent, terminal, noun, path);
  removeCommand(parent, terminal, noun, path);
}

function read(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new UsageError(`cannot read ${file === '-' ? 'standard input' : file}: ${errorText(error)}`, {
      cause: error,
    });
  }
}

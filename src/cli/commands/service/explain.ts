import type { Command } from 'commander';
import { action, nameless } from '../../context.ts';
import { isForPeople, printValue, table } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import type { ServiceObject } from '../../types.ts';
import { indented, nodeColumns, type NodeAnswer } from './node-answers.ts';

interface Explanation {
  readonly strategy?: string;
  readonly tasks: readonly {
    readonly taskId: string;
    readonly slot: number;
    readonly summary: string;
    readonly nodes: readonly NodeAnswer[];
  }[];
  readonly next?: readonly NodeAnswer[];
}

export function serviceExplain(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('explain <service>')
    .description('Tell why each task is where it is, or why it waits, and how every node would do for one more');
  action(command, terminal, nameless(), async ({ client, output }, [name = '']) => {
    const service = await client.get<ServiceObject>(`/services/${encodeURIComponent(name)}`);
    const answer = await client.get<Explanation>(`/swarmd/services/${service.ID}/explain`);
    if (!isForPeople(output)) return printValue(terminal, answer, output);
    terminal.out(`service ${service.Spec.Name}${answer.strategy ? `, strategy ${answer.strategy}` : ''}\n`);
    for (const task of answer.tasks) {
      terminal.out(`\n${service.Spec.Name}.${task.slot || task.taskId}: ${task.summary}\n`);
      if (task.nodes.length > 1 || task.nodes.some((n) => !n.fits))
        terminal.out(indented(table(nodeColumns, task.nodes)));
    }
    if (answer.next) terminal.out(`\none more task:\n${indented(table(nodeColumns, answer.next))}`);
  });
}

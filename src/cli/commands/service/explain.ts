import type { Command } from 'commander';
import { action } from '../../context.ts';
import { printValue, table } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import type { ServiceObject } from '../../types.ts';

interface NodeAnswer {
  readonly hostname: string;
  readonly fits: boolean;
  readonly refusals: readonly { readonly filter: string; readonly reason: string }[];
  readonly score?: number;
}

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

const columns = [
  { header: 'NODE', value: (n: NodeAnswer) => n.hostname },
  { header: 'FITS', value: (n: NodeAnswer) => (n.fits ? 'yes' : 'no') },
  { header: 'SCORE', value: (n: NodeAnswer) => (n.score === undefined ? '' : String(Math.round(n.score * 100) / 100)) },
  { header: 'WHY NOT', value: (n: NodeAnswer) => n.refusals.map((r) => `${r.filter}: ${r.reason}`).join('; ') },
];

export function serviceExplain(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('explain <service>')
    .description('Tell why each task is where it is, or why it waits, and how every node would do for one more');
  action(command, terminal, 'table', async ({ client, output }, [name = '']) => {
    const service = await client.get<ServiceObject>(`/services/${encodeURIComponent(name)}`);
    const answer = await client.get<Explanation>(`/swarmd/services/${service.ID}/explain`);
    if (output.output !== 'table' || output.format !== undefined) return printValue(terminal, answer, output);
    terminal.out(`service ${service.Spec.Name}${answer.strategy ? `, strategy ${answer.strategy}` : ''}\n`);
    for (const task of answer.tasks) {
      terminal.out(`\n${service.Spec.Name}.${task.slot || task.taskId}: ${task.summary}\n`);
      if (task.nodes.length > 1 || task.nodes.some((n) => !n.fits)) terminal.out(indented(table(columns, task.nodes)));
    }
    if (answer.next) terminal.out(`\none more task:\n${indented(table(columns, answer.next))}`);
  });
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

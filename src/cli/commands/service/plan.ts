/** What a change of a service would do, as the manager plays it through: `plan` and `--dry-run`. */
import type { Command } from 'commander';
import { nameless, requireOutput, type CommandContext } from '../../context.ts';
import { isForPeople, printValue, table } from '../../output.ts';
import type { ServiceSpecObject } from '../../types.ts';
import { indented, nodeColumns, type NodeAnswer } from './node-answers.ts';

interface PlannedTask {
  readonly action: 'keep' | 'start' | 'replace' | 'stop' | 'wait';
  readonly slot: number;
  readonly hostname: string;
  readonly nodeId: string;
  readonly previousHostname: string;
  readonly previousNodeId: string;
  readonly isPreviousKept: boolean;
  readonly reason: string;
}

interface ServicePlan {
  readonly strategy: string;
  readonly isCertain: boolean;
  readonly isComplete: boolean;
  readonly tasks: readonly PlannedTask[];
  readonly nodes: readonly NodeAnswer[];
  readonly update: string;
}

export const addDryRun = (command: Command): Command =>
  command.option('--dry-run', 'tell what would happen, task by task, and change nothing');

/** Asks for the plan and prints it. `query` names the service to update; without it the service is new. */
export async function showPlan(
  { client, terminal, output }: CommandContext,
  spec: ServiceSpecObject,
  query: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  requireOutput(output, nameless());
  const plan = await client.post<ServicePlan>('/swarmd/plan', query, spec);
  if (!isForPeople(output)) return printValue(terminal, plan, output);
  const moving = plan.tasks.filter((task) => task.action !== 'keep');
  terminal.out(`service ${spec.Name}, strategy ${plan.strategy}: ${summary(plan.tasks)}\n`);
  if (!plan.isCertain) terminal.out('the strategy draws the nodes by lot: these are an example\n');
  if (!plan.isComplete) terminal.out('there is too much to play it to the end: this is how it begins\n');
  const shown = output.output === 'wide' ? plan.tasks : moving;
  if (shown.length > 0) terminal.out(`\n${table(columns(spec.Name), shown, terminal.hasColours)}`);
  if (plan.update === 'stuck' || plan.update === 'paused' || plan.update === 'rolled back') {
    terminal.out(`\nthe update would not get to its end: ${plan.update}\n`);
  }
  const isNarrowed = plan.nodes.some((node) => !node.fits) || moving.some((task) => task.action === 'wait');
  if (plan.nodes.length > 0 && (isNarrowed || output.output === 'wide')) {
    terminal.out(`\nthe nodes, before anything moves:\n${indented(table(nodeColumns, plan.nodes))}`);
  }
}

const WORDS = [
  ['start', 'to start'],
  ['replace', 'to replace'],
  ['stop', 'to stop'],
  ['wait', 'without a node'],
  ['keep', 'to keep'],
] as const;

function summary(tasks: readonly PlannedTask[]): string {
  const counts = WORDS.flatMap(([action, words]) => {
    const count = tasks.filter((task) => task.action === action).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  return counts.length === 0 ? 'no tasks' : counts.join(', ');
}

const STYLES = { start: 'green', replace: 'yellow', stop: 'red', wait: 'red', keep: undefined } as const;

const columns = (service: string) => [
  { header: 'ACTION', value: (t: PlannedTask) => t.action, style: (t: PlannedTask) => STYLES[t.action] },
  { header: 'TASK', value: (t: PlannedTask) => (t.slot === 0 ? service : `${service}.${t.slot}`) },
  { header: 'NODE', value: (t: PlannedTask) => t.hostname || t.nodeId },
  { header: 'NOW ON', value: (t: PlannedTask) => t.previousHostname || t.previousNodeId },
  {
    header: 'WHY',
    value: (t: PlannedTask) => (t.isPreviousKept ? `${t.reason}; the old task goes on meanwhile` : t.reason),
  },
];

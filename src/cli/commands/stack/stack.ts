/** `stack`: services, networks, secrets and configs that belong together. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { isSwarmError, SwarmError } from '../../../common/errors.ts';
import { NAMESPACE_LABEL } from '../../compose/stack-objects.ts';
import { action, addListOptions, addWatch, isSet, listFlag, nameless } from '../../context.ts';
import { Outcomes } from '../../outcome.ts';
import { printList, type Listing } from '../../output.ts';
import { ProgressLine } from '../../progress-line.ts';
import type { Terminal } from '../../terminal.ts';
import type { ServiceObject } from '../../types.ts';
import { waitingTime } from '../service/wait.ts';
import { showServices } from '../service/list.ts';
import { showTasks } from '../task/list.ts';
import { addComposeFiles, readFiles, stackDeploy } from './deploy.ts';
import { StackClient, stackFilter } from './stack-client.ts';

export function stackCommands(program: Command, terminal: Terminal): void {
  const parent = program.command('stack').description('Stacks: services that belong together, from a compose file');
  stackDeploy(parent, terminal);
  stackList(parent, terminal);
  stackPs(parent, terminal);
  stackServices(parent, terminal);
  stackRemove(parent, terminal);
  stackConfig(parent, terminal);
}

interface StackObject {
  readonly Name: string;
  readonly Services: number;
}

function stackList(parent: Command, terminal: Terminal): void {
  const command = addListOptions(parent.command('ls').alias('list').description('List the stacks'));
  action(command, terminal, 'table', async ({ client, output }) => {
    const filters = JSON.stringify({ label: [NAMESPACE_LABEL] });
    const counts = new Map<string, number>();
    for (const { Spec } of await client.get<readonly ServiceObject[]>('/services', { filters })) {
      const name = Spec.Labels[NAMESPACE_LABEL] ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const listing: Listing<StackObject> = {
      items: [...counts]
        .map(([Name, Services]) => ({ Name, Services }))
        .sort((a, b) => a.Name.localeCompare(b.Name, undefined, { numeric: true })),
      id: (stack) => stack.Name,
      name: (stack) => stack.Name,
      columns: [
        { header: 'NAME', value: (stack) => stack.Name },
        { header: 'SERVICES', value: (stack) => String(stack.Services) },
      ],
    };
    printList(terminal, listing, output);
  });
}

function stackPs(parent: Command, terminal: Terminal): void {
  const command = addWatch(addListOptions(parent.command('ps <stack>').description('List the tasks of a stack')));
  action(command, terminal, 'table', async (context, [stack = ''], flags) => {
    await requireServices(new StackClient(context.client, stack));
    await showTasks(context, flags, [stackFilter(stack), ...(listFlag(flags, 'filter') ?? [])]);
  });
}

function stackServices(parent: Command, terminal: Terminal): void {
  const command = addWatch(
    addListOptions(parent.command('services <stack>').description('List the services of a stack')),
  );
  action(command, terminal, 'table', async (context, [stack = ''], flags) => {
    await requireServices(new StackClient(context.client, stack));
    await showServices(context, flags, [stackFilter(stack), ...(listFlag(flags, 'filter') ?? [])]);
  });
}

async function requireServices(stack: StackClient): Promise<void> {
  if ((await stack.services()).length === 0) throw noStack(stack.stack);
}

const noStack = (stack: string): SwarmError =>
  new SwarmError('notFound', `stack ${stack} not found; "swarmctl stack ls" lists those there are`);

/** A network is free when the last task on it has gone. */
const RETRY_MS = 250;

function stackRemove(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('rm <stacks...>')
    .aliases(['remove', 'down'])
    .description('Remove stacks with all their objects')
    .option('-d, --detach', 'do not wait until the tasks have gone')
    .option('--timeout <duration>', 'longest to wait');
  action(command, terminal, 'table', async (context, names, flags) => {
    const { client } = context;
    const timeoutMs = waitingTime(flags);
    const removed = new Outcomes(context);
    const removeStack = async (name: string): Promise<void> => {
      const stack = new StackClient(client, name);
      const [services, secrets, configs, networks] = await Promise.all([
        stack.services(),
        stack.data('secret'),
        stack.data('config'),
        stack.networks(),
      ]);
      if (services.length + secrets.length + configs.length + networks.length === 0) throw noStack(name);
      const remove = async (kind: string, label: string, id: string): Promise<void> => {
        removed.say(`Removing ${kind} ${label}\n`);
        await client.delete(`/${kind}s/${id}`);
        removed.add(label, { Kind: kind, ID: id, Name: label });
      };
      for (const { ID, Spec } of services) await remove('service', Spec.Name, ID);
      for (const { ID, Spec } of secrets) await remove('secret', Spec.Name, ID);
      for (const { ID, Spec } of configs) await remove('config', Spec.Name, ID);
      const deadlineMs = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
      for (const { Id, Name } of networks) {
        await untilFree(() => remove('network', Name, Id), deadlineMs);
      }
      if (!isSet(flags, 'detach')) await untilGone(stack, terminal, deadlineMs);
    };
    await removed.during(async () => {
      for (const name of names) await removeStack(name);
    });
  });
}

async function untilFree(remove: () => Promise<void>, deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      return await remove();
    } catch (error) {
      const isInUse = isSwarmError(error, 'permissionDenied') || isSwarmError(error, 'failedPrecondition');
      if (!isInUse || Date.now() > deadlineMs) throw error;
      await sleep(RETRY_MS);
    }
  }
}

async function untilGone(stack: StackClient, terminal: Terminal, deadlineMs: number): Promise<void> {
  const line = new ProgressLine(terminal);
  try {
    for (;;) {
      const left = (await stack.tasks()).filter((task) => task.Status.State === 'running').length;
      if (left === 0) return;
      line.show(`${left} ${left === 1 ? 'task' : 'tasks'} of ${stack.stack} still running`);
      if (Date.now() > deadlineMs) {
        throw new SwarmError(
          'deadlineExceeded',
          `${left} tasks of stack ${stack.stack} still run; they go on stopping, see "swarmctl task ls"`,
        );
      }
      await sleep(RETRY_MS);
    }
  } finally {
    line.end();
  }
}

function stackConfig(parent: Command, terminal: Terminal): void {
  const command = addComposeFiles(
    parent.command('config').description('Show what compose files come to, merged and with variables filled in'),
  );
  action(command, terminal, nameless('yaml'), async (context, _args, flags) => {
    const file = readFiles(context, listFlag(flags, 'composeFile') ?? []);
    const text = context.output.output === 'json' ? `${JSON.stringify(file, undefined, 2)}\n` : stringify(file);
    await Promise.resolve(terminal.out(text));
  });
}

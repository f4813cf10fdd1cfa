import { Option, type Command } from 'commander';
import { action, collect, isSet, listFlag, textFlag, type CommandContext } from '../../context.ts';
import { printOutcome } from '../../outcome.ts';
import { isForPeople } from '../../output.ts';
import type { Terminal } from '../../terminal.ts';
import type { ServiceMode, ServiceObject, ServiceSpecObject } from '../../types.ts';
import { environment, keyValues, mount, port, spreadLabel, taggedImage } from '../../values.ts';
import { UsageError } from '../../usage-error.ts';
import { addDryRun, showPlan } from './plan.ts';
import { references } from './references.ts';
import { addCommonFlags, applyCommonFlags } from './spec-flags.ts';
import { waitingTime, waitUnlessDetached } from './wait.ts';

const MODES = {
  replicated: () => ({ Replicated: { Replicas: 1 } }),
  global: () => ({ Global: {} }),
  'replicated-job': () => ({ ReplicatedJob: { TotalCompletions: 1 } }),
  'global-job': () => ({ GlobalJob: {} }),
} as const satisfies Readonly<Record<string, () => ServiceMode>>;

/** Under `plan` nothing is created. */
export function serviceCreate(parent: Command, terminal: Terminal): void {
  const isPlan = parent.name() === 'plan';
  const command = addCommonFlags(
    parent
      .command('create <image> [command...]')
      .description(isPlan ? 'Tell what creating a service would do' : 'Create a service'),
  )
    .passThroughOptions()
    .option('--name <name>', 'its name')
    .addOption(
      new Option('--mode <mode>', 'tasks by number, or one on each node; tasks of jobs run to completion')
        .choices(Object.keys(MODES))
        .default('replicated'),
    )
    .option('-e, --env <key=value>', 'environment variable; may be repeated', collect)
    .option('-l, --label <key=value>', 'label of the service; may be repeated', collect)
    .option('--container-label <key=value>', 'label of its containers; may be repeated', collect)
    .option('--constraint <expression>', 'nodes it may run on, for example node.role==worker; may be repeated', collect)
    .option(
      '--placement-pref <spread=label>',
      'spread over a label, for example spread=node.labels.zone; may be repeated',
      collect,
    )
    .option('-p, --publish <port>', 'port to publish, for example 8080:80; may be repeated', collect)
    .option('--mount <mount>', 'for example type=bind,source=/a,target=/b; may be repeated', collect)
    .option('--network <name>', 'network to attach to; may be repeated', collect)
    .option('--secret <name>', 'secret to give to its tasks; may be repeated', collect)
    .option('--config <name>', 'config to give to its tasks; may be repeated', collect);
  if (!isPlan) addDryRun(command);
  action(command, terminal, 'table', async (context, [image = '', ...args], flags) => {
    const { client } = context;
    waitingTime(flags);
    const list = (name: string): readonly string[] => listFlag(flags, name) ?? [];
    const mode: ServiceMode = MODES[textFlag(flags, 'mode') as keyof typeof MODES]();
    if ((mode.Global || mode.GlobalJob) && flags['replicas'] !== undefined) {
      throw new UsageError('--replicas goes with replicated services: a global one has a task on each node');
    }
    const spec: ServiceSpecObject = {
      Name: textFlag(flags, 'name') ?? '',
      Labels: keyValues('--label', list('label')),
      TaskTemplate: {
        ContainerSpec: {
          Image: taggedImage(image),
          ...(args.length > 0 ? { Args: [...args] } : {}),
          ...(list('env').length > 0 ? { Env: [...environment('--env', list('env'))] } : {}),
          ...(list('containerLabel').length > 0
            ? { Labels: keyValues('--container-label', list('containerLabel')) }
            : {}),
          ...(list('mount').length > 0 ? { Mounts: list('mount').map(mount) } : {}),
          Secrets: [...(await references(client, 'secret', list('secret')))],
          Configs: [...(await references(client, 'config', list('config')))],
        },
        Placement: {
          Constraints: [...list('constraint')],
          Preferences: list('placementPref').map((text) => ({
            Spread: { SpreadDescriptor: spreadLabel('--placement-pref', text) },
          })),
        },
        Networks: list('network').map((Target) => ({ Target })),
      },
      Mode: mode,
      ...(list('publish').length > 0 ? { EndpointSpec: { Ports: list('publish').map(port) } } : {}),
    };
    applyCommonFlags(spec, flags);
    const job = spec.Mode.ReplicatedJob;
    if (job) job.MaxConcurrent ??= job.TotalCompletions ?? 1;
    if (isPlan || isSet(flags, 'dryRun')) return showPlan(context, spec);
    const { ID } = await client.post<{ ID: string }>('/services/create', undefined, spec);
    await printCreated(context, ID);
    await waitUnlessDetached(context, ID, flags, isSet(flags, 'detach'));
  });
}

/** The manager names a service that was given no name. */
async function printCreated(context: CommandContext, ID: string): Promise<void> {
  const isNamed = !isForPeople(context.output);
  const Name = isNamed ? (await context.client.get<ServiceObject>(`/services/${ID}`)).Spec.Name : '';
  printOutcome(context, { text: `${ID}\n`, name: Name, value: { ID, Name } });
}

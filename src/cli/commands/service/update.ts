import type { Command } from 'commander';
import { action, isSet, listFlag, textFlag, type CommandContext, type Flags } from '../../context.ts';
import type { Terminal } from '../../output.ts';
import type { ServiceObject, ServiceSpecObject } from '../../types.ts';
import { mount, port, wholeNumber } from '../../values.ts';
import { SwarmError } from '../../../common/errors.ts';
import { addCommonFlags, addListFlags, applyCommonFlags, edited, editedLabels } from './spec-flags.ts';
import { waitUnlessDetached } from './wait.ts';

/** Reads, edits and writes a service back. */
async function change(
  context: CommandContext,
  name: string,
  flags: Flags,
  edit: (spec: ServiceSpecObject) => void,
  query: Record<string, string> = {},
): Promise<void> {
  const { client, terminal } = context;
  const service = await client.get<ServiceObject>(`/services/${encodeURIComponent(name)}`, { insertDefaults: false });
  const spec = structuredClone(service.Spec);
  edit(spec);
  await client.post(`/services/${service.ID}/update`, { version: service.Version.Index, ...query }, spec);
  terminal.out(`${name}\n`);
  await waitUnlessDetached(context, service.ID, flags, isSet(flags, 'detach'));
}

export function serviceUpdate(parent: Command, terminal: Terminal): void {
  const command = addCommonFlags(
    parent.command('update <service>').description('Change a service; its tasks are replaced step by step'),
  )
    .option('--image <image>', 'image')
    .option('--args <command>', 'command line of the tasks, split at blanks')
    .option('--force', 'replace all tasks even if nothing changed');
  addListFlags(command, 'env', 'key[=value]', 'an environment variable');
  addListFlags(command, 'label', 'key[=value]', 'a label of the service');
  addListFlags(command, 'constraint', 'expression', 'a constraint');
  addListFlags(command, 'publish', 'port', 'a published port');
  addListFlags(command, 'mount', 'mount', 'a mount');
  command.addHelpText(
    'after',
    '\nExamples:\n  swarmctl service update --image web:2 --update-parallelism 2 web\n  swarmctl service update --force web\n',
  );
  action(command, terminal, 'table', (context, [name = ''], flags) =>
    change(context, name, flags, (spec) => {
      const container = spec.TaskTemplate.ContainerSpec;
      const list = (flag: string): readonly string[] => listFlag(flags, flag) ?? [];
      container.Image = textFlag(flags, 'image') ?? container.Image;
      const args = textFlag(flags, 'args');
      if (args !== undefined) container.Args = args.split(/\s+/).filter((word) => word !== '');
      if (flags['envAdd'] || flags['envRm']) {
        container.Env = edited(container.Env, list('envAdd'), list('envRm'), (line) => line.split('=')[0] ?? line);
      }
      spec.Labels = editedLabels(spec.Labels, flags, 'label');
      if (flags['constraintAdd'] || flags['constraintRm']) {
        const placement = (spec.TaskTemplate.Placement ??= {});
        placement.Constraints = edited(placement.Constraints, list('constraintAdd'), list('constraintRm'), (c) => c);
      }
      if (flags['publishAdd'] || flags['publishRm']) {
        const endpoint = (spec.EndpointSpec ??= {});
        endpoint.Ports = edited(endpoint.Ports, list('publishAdd').map(port), list('publishRm'), (p) =>
          String(p.TargetPort),
        );
      }
      if (flags['mountAdd'] || flags['mountRm']) {
        container.Mounts = edited(container.Mounts, list('mountAdd').map(mount), list('mountRm'), (m) => m.Target);
      }
      if (isSet(flags, 'force')) spec.TaskTemplate.ForceUpdate = (spec.TaskTemplate.ForceUpdate ?? 0) + 1;
      applyCommonFlags(spec, flags);
    }),
  );
}

export function serviceScale(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('scale <service=replicas...>')
    .description('Set how many tasks services have')
    .option('-d, --detach', 'do not wait until the services have settled')
    .option('--timeout <duration>', 'longest to wait')
    .addHelpText('after', '\nExamples:\n  swarmctl service scale web=5 worker=20\n');
  action(command, terminal, 'table', async (context, pairs, flags) => {
    for (const pair of pairs) {
      const [name, count] = pair.split('=');
      if (!name || count === undefined)
        throw new SwarmError('invalidArgument', `"${pair}": write service=replicas, for example web=3`);
      const replicas = wholeNumber(name, count);
      await change(context, name, flags, (spec) => {
        if (!spec.Mode.Replicated)
          throw new SwarmError('invalidArgument', `${name} is not a replicated service: only those can be scaled`);
        spec.Mode = { Replicated: { Replicas: replicas } };
      });
    }
  });
}

export function serviceRollback(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('rollback <service>')
    .description('Go back to what the service was before its last change')
    .option('-d, --detach', 'do not wait until the service has settled')
    .option('--timeout <duration>', 'longest to wait');
  action(command, terminal, 'table', (context, [name = ''], flags) =>
    change(context, name, flags, () => undefined, { rollback: 'previous' }),
  );
}

import type { Command } from 'commander';
import { SwarmError } from '../../../common/errors.ts';
import { action, isSet, listFlag, textFlag, type CommandContext, type Flags } from '../../context.ts';
import { Outcomes, printOutcome } from '../../outcome.ts';
import type { Terminal } from '../../terminal.ts';
import type { PortObject, ServiceObject, ServiceSpecObject } from '../../types.ts';
import { environment, mount, port, taggedImage, wholeNumber } from '../../values.ts';
import { words } from '../../words.ts';
import { addDryRun, showPlan } from './plan.ts';
import { addCommonFlags, addListFlags, applyCommonFlags, edited, editedLabels, setReplicas } from './spec-flags.ts';
import { UsageError } from '../../usage-error.ts';
import { addWaitFlags, waitingTime, waitUnlessDetached } from './wait.ts';

/** Reads, edits and writes a service back, or only plans to; resolves with its id, or undefined when nothing was changed. */
async function change(
  context: CommandContext,
  isPlan: boolean,
  name: string,
  flags: Flags,
  tell: (service: ServiceObject) => void,
  edit: (spec: ServiceSpecObject) => void,
  query: Record<string, string> = {},
): Promise<string | undefined> {
  const { client } = context;
  waitingTime(flags);
  const service = await client.get<ServiceObject>(`/services/${encodeURIComponent(name)}`, { insertDefaults: false });
  const spec = structuredClone(service.Spec);
  edit(spec);
  const version = service.Version.Index;
  if (isPlan) {
    await showPlan(context, spec, { service: service.ID, version, ...query });
    return undefined;
  }
  await client.post(`/services/${service.ID}/update`, { version, ...query }, spec);
  tell(service);
  return service.ID;
}

const telling =
  (context: CommandContext, given: string) =>
  ({ ID, Spec: { Name } }: ServiceObject): void =>
    printOutcome(context, { text: `${given}\n`, name: Name, value: { ID, Name } });

const wait = (context: CommandContext, id: string, flags: Flags): Promise<void> =>
  waitUnlessDetached(context, id, flags, isSet(flags, 'detach'));

const isUnderPlan = (parent: Command): boolean => parent.name() === 'plan';

export function serviceUpdate(parent: Command, terminal: Terminal): void {
  const command = addCommonFlags(
    parent
      .command('update <service>')
      .description(
        isUnderPlan(parent)
          ? 'Tell what changing a service would do'
          : 'Change a service; its tasks are replaced step by step',
      ),
  )
    .option('--image <image>', 'image')
    .option('--args <command>', 'command line of the tasks, in words as a shell splits it')
    .option('--force', 'replace all tasks even if nothing changed');
  addListFlags(command, 'env', 'key[=value]', 'an environment variable');
  addListFlags(command, 'label', 'key[=value]', 'a label of the service');
  addListFlags(command, 'constraint', 'expression', 'a constraint');
  addListFlags(command, 'publish', 'port', 'a published port');
  addListFlags(command, 'mount', 'mount', 'a mount');
  const isPlan = isUnderPlan(parent);
  if (!isPlan) addDryRun(command);
  action(command, terminal, 'table', async (context, [name = ''], flags) => {
    const id = await change(context, isPlan || isSet(flags, 'dryRun'), name, flags, telling(context, name), (spec) => {
      const container = spec.TaskTemplate.ContainerSpec;
      const list = (flag: string): readonly string[] => listFlag(flags, flag) ?? [];
      const image = textFlag(flags, 'image');
      if (image !== undefined) container.Image = taggedImage(image);
      const args = textFlag(flags, 'args');
      if (args !== undefined) container.Args = argumentsOf(args);
      if (flags['envAdd'] || flags['envRm']) {
        container.Env = edited(
          container.Env,
          environment('--env-add', list('envAdd')),
          list('envRm'),
          (line) => line.split('=')[0] ?? line,
        );
      }
      spec.Labels = editedLabels(spec.Labels, flags, 'label');
      if (flags['constraintAdd'] || flags['constraintRm']) {
        const placement = (spec.TaskTemplate.Placement ??= {});
        placement.Constraints = edited(placement.Constraints, list('constraintAdd'), list('constraintRm'), (c) => c);
      }
      if (flags['publishAdd'] || flags['publishRm']) {
        const endpoint = (spec.EndpointSpec ??= {});
        endpoint.Ports = editedPorts(endpoint.Ports ?? [], list('publishAdd').map(port), list('publishRm'));
      }
      if (flags['mountAdd'] || flags['mountRm']) {
        container.Mounts = edited(container.Mounts, list('mountAdd').map(mount), list('mountRm'), (m) => m.Target);
      }
      if (isSet(flags, 'force')) spec.TaskTemplate.ForceUpdate = (spec.TaskTemplate.ForceUpdate ?? 0) + 1;
      applyCommonFlags(spec, flags);
    });
    if (id !== undefined) await wait(context, id, flags);
  });
}

function argumentsOf(line: string): string[] {
  const found = words(line);
  if (!found) throw new UsageError(`--args "${line}": a quote is not closed; close it, or put a backslash before it`);
  return [...found];
}

/** Ports of one target are told apart by their protocol and by where they are published, as Docker does it. */
function editedPorts(current: readonly PortObject[], added: readonly PortObject[], removed: readonly string[]) {
  const gone = new Set(removed.map((text) => targetOf(port(text))));
  const kept = current.filter((p) => !gone.has(targetOf(p)) && !added.some((other) => isSamePort(p, other)));
  return [...kept, ...added];
}

const targetOf = ({ TargetPort, Protocol }: PortObject): string => `${TargetPort}/${Protocol}`;
const isSamePort = (a: PortObject, b: PortObject): boolean =>
  targetOf(a) === targetOf(b) && a.PublishedPort === b.PublishedPort && a.PublishMode === b.PublishMode;

export function serviceScale(parent: Command, terminal: Terminal): void {
  const command = addWaitFlags(
    parent
      .command('scale <service=replicas...>')
      .description(isUnderPlan(parent) ? 'Tell what scaling services would do' : 'Set how many tasks services have'),
  );
  const isPlan = isUnderPlan(parent);
  if (!isPlan) addDryRun(command);
  action(command, terminal, 'table', async (context, pairs, flags) => {
    const wanted = pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at < 1) throw new UsageError(`"${pair}": write service=replicas, for example web=3`);
      return [pair.slice(0, at), wholeNumber(pair.slice(0, at), pair.slice(at + 1))] as const;
    });
    const ids: string[] = [];
    const isDry = isPlan || isSet(flags, 'dryRun');
    const scaled = new Outcomes(context);
    const scaleAll = async (): Promise<void> => {
      for (const [name, replicas] of wanted) {
        const tell = ({ ID, Spec }: ServiceObject): void => {
          scaled.say(`${name}\n`);
          scaled.add(Spec.Name, { ID, Name: Spec.Name, Replicas: replicas });
        };
        const id = await change(context, isDry, name, flags, tell, (spec) => {
          if (!spec.Mode.Replicated && !spec.Mode.ReplicatedJob)
            throw new SwarmError('failedPrecondition', `${name} is not a replicated service: only those can be scaled`);
          setReplicas(spec, replicas);
        });
        if (id !== undefined) ids.push(id);
      }
    };
    // A plan prints by itself.
    await (isDry ? scaleAll() : scaled.during(scaleAll));
    for (const id of ids) await wait(context, id, flags);
  });
}

export function serviceRollback(parent: Command, terminal: Terminal): void {
  const command = addWaitFlags(
    parent.command('rollback <service>').description('Go back to what the service was before its last change'),
  );
  addDryRun(command);
  action(command, terminal, 'table', async (context, [name = ''], flags) => {
    const query = { rollback: 'previous' };
    const id = await change(
      context,
      isSet(flags, 'dryRun'),
      name,
      flags,
      telling(context, name),
      () => undefined,
      query,
    );
    if (id !== undefined) await wait(context, id, flags);
  });
}

/** `stack deploy`: makes the swarm what compose files say, as `docker stack deploy` does, and keeps to depends_on. */
import { Option, type Command } from 'commander';
import { loadCompose } from '../../compose/load.ts';
import { specChanges } from '../../compose/spec-changes.ts';
import { IMAGE_LABEL, stackData, stackNetworks, type StackNetwork } from '../../compose/stack-objects.ts';
import { stackService, type KnownData } from '../../compose/stack-service.ts';
import { startOrder, type Start } from '../../compose/start-order.ts';
import type { ComposeFile } from '../../compose/file-shape.ts';
import { action, collect, isSet, listFlag, type CommandContext } from '../../context.ts';
import { Outcomes } from '../../outcome.ts';
import type { Terminal } from '../../terminal.ts';
import type { NamedObject, ServiceObject } from '../../types.ts';
import { UsageError } from '../../usage-error.ts';
import { waitingTime } from '../service/wait.ts';
import { StackWaits } from './stack-waits.ts';
import { StackClient } from './stack-client.ts';

const STACK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

export const addComposeFiles = (command: Command): Command =>
  command.addOption(
    new Option('-c, --compose-file <file>', 'compose file, or - for standard input; later files go over earlier ones')
      .argParser(collect)
      .makeOptionMandatory(),
  );

export function stackDeploy(parent: Command, terminal: Terminal): void {
  const command = addComposeFiles(
    parent.command('deploy <stack>').alias('up').description('Create or update a stack from compose files'),
  )
    .option('--prune', 'remove services that the files no longer name')
    .option('--dry-run', 'tell what would be created, updated and removed, and change nothing')
    .option('-d, --detach', 'do not wait until the services have settled; depends_on is waited for all the same')
    .option('--timeout <duration>', 'longest to wait');
  action(command, terminal, 'table', async (context, [stack = ''], flags) => {
    if (!STACK_NAME.test(stack)) {
      throw new UsageError(`stack "${stack}": use letters, digits, "_", "." and "-", and begin with a letter or digit`);
    }
    const timeoutMs = waitingTime(flags);
    const file = readFiles(context, listFlag(flags, 'composeFile') ?? []);
    const order = startOrder(file.services ?? {});
    const deployment = new Deployment(new StackClient(context.client, stack), context, file, isSet(flags, 'dryRun'));
    const waits = new StackWaits(context.client, terminal, timeoutMs);
    await deployment.prepare();
    await deployment.telling(async () => {
      if (isSet(flags, 'prune')) await deployment.prune();
      await deployment.createObjects();
      for (const start of order) {
        if (!deployment.isDry) for (const wait of start.waits) await waits.until(wait, start.name);
        const id = await deployment.putService(start);
        waits.add(start, id);
      }
    });
    if (!deployment.isDry && !isSet(flags, 'detach')) await waits.untilSettled();
  });
}

export function readFiles({ terminal }: CommandContext, files: readonly string[]): ComposeFile {
  const warn = (text: string): void => terminal.err(`swarmctl: ${text}\n`);
  return loadCompose(files, { variables: (name) => process.env[name], warn });
}

const DOING = { create: 'Creating', update: 'Updating', keep: 'Keeping', remove: 'Removing' } as const;

class Deployment {
  readonly isDry: boolean;
  readonly #stack: StackClient;
  readonly #context: CommandContext;
  readonly #outcomes: Outcomes;
  readonly #file: ComposeFile;
  readonly #networks: readonly StackNetwork[];
  #services: ReadonlyMap<string, ServiceObject> = new Map();
  #networkIds: ReadonlyMap<string, string> = new Map();
  #known: KnownData = { secrets: new Map(), configs: new Map() };

  constructor(stack: StackClient, context: CommandContext, file: ComposeFile, isDry: boolean) {
    this.#stack = stack;
    this.#context = context;
    this.#outcomes = new Outcomes(context);
    this.#file = file;
    this.#networks = stackNetworks(stack.stack, file);
    this.isDry = isDry;
  }

  /** Looks at everything before anything is changed: what cannot be deployed leaves nothing behind. */
  async prepare(): Promise<void> {
    await this.#stack.requireManager();
    await this.#stack.requireExternalNetworks(this.#networks);
    this.#services = new Map((await this.#stack.services()).map((service) => [service.Spec.Name, service]));
    await this.#look();
    const known = {
      secrets: this.#withPlanned('secret', this.#known.secrets),
      configs: this.#withPlanned('config', this.#known.configs),
    };
    for (const [name, service] of Object.entries(this.#file.services ?? {})) {
      stackService({ stack: this.#stack.stack, name, service, file: this.#file, known });
    }
  }

  /** Programs are told once all is done, or has failed. */
  telling(work: () => Promise<void>): Promise<void> {
    return this.#outcomes.during(work);
  }

  async prune(): Promise<void> {
    const wanted = new Set(Object.keys(this.#file.services ?? {}).map((name) => `${this.#stack.stack}_${name}`));
    for (const [name, service] of this.#services) {
      if (wanted.has(name)) continue;
      await this.#step('remove', 'service', name, () => this.#context.client.delete(`/services/${service.ID}`));
    }
  }

  async createObjects(): Promise<void> {
    const present = new Set((await this.#stack.networks()).map((network) => network.Name));
    for (const { name, body } of this.#networks) {
      if (!body || present.has(name)) continue;
      await this.#step('create', 'network', name, () => this.#context.client.post('/networks/create', undefined, body));
    }
    for (const kind of ['secret', 'config'] as const) {
      const known = kind === 'secret' ? this.#known.secrets : this.#known.configs;
      for (const data of stackData(this.#stack.stack, kind, this.#file)) {
        const put = (): Promise<unknown> => this.#stack.putData(kind, data);
        if (!known.has(data.name)) await this.#step('create', kind, data.name, put);
        else if (!this.isDry) await put();
      }
    }
    if (!this.isDry) await this.#look();
  }

  /** Creates a service, or updates it when something is different; resolves with its id. */
  async putService({ name, service }: Start): Promise<string> {
    const { client } = this.#context;
    const known = this.isDry ? this.#plannedData() : this.#known;
    const spec = stackService({ stack: this.#stack.stack, name, service, file: this.#file, known });
    const fullName = `${this.#stack.stack}_${name}`;
    const present = this.#services.get(fullName);
    if (!present) {
      let id = '';
      await this.#step('create', 'service', fullName, async () => {
        id = (await client.post<{ readonly ID: string }>('/services/create', undefined, spec)).ID;
      });
      return id;
    }
    const wanted = keepingImage(spec as unknown as WantedSpec, present);
    const changes = specChanges(present.Spec, this.#withNetworkIds(wanted));
    if (changes.length === 0) {
      await this.#step('keep', 'service', fullName, () => Promise.resolve());
      return present.ID;
    }
    const update = (): Promise<unknown> =>
      client.post(`/services/${present.ID}/update`, { version: present.Version.Index }, wanted);
    await this.#step('update', 'service', fullName, update, changes.map(shortPath));
    return present.ID;
  }

  /** Tells of a step and takes it, unless it is only to be told of. */
  async #step(
    verb: keyof typeof DOING,
    kind: string,
    name: string,
    take: () => Promise<unknown>,
    changes: readonly string[] = [],
  ): Promise<void> {
    const why = changes.length === 0 ? '' : ` (${changes.join(', ')})`;
    this.#outcomes.say(`${this.isDry ? `would ${verb}` : DOING[verb]} ${kind} ${name}${why}\n`);
    if (!this.isDry) await take();
    const Changes = changes.length === 0 ? {} : { Changes: changes };
    this.#outcomes.add(name, { Action: verb, Kind: kind, Name: name, ...Changes });
  }

  /** Ids of what there is by now. */
  async #look(): Promise<void> {
    const { client } = this.#context;
    const idsOf = async (kind: 'secret' | 'config'): Promise<ReadonlyMap<string, string>> =>
      new Map((await client.get<readonly NamedObject[]>(`/${kind}s`)).map((o) => [o.Spec.Name, o.ID]));
    const [secrets, configs, networks] = await Promise.all([
      idsOf('secret'),
      idsOf('config'),
      Promise.all(this.#networks.map(({ name }) => this.#stack.network(name))),
    ]);
    this.#known = { secrets, configs };
    this.#networkIds = new Map(networks.flatMap((network) => (network ? [[network.Name, network.Id] as const] : [])));
  }

  #plannedData(): KnownData {
    return {
      secrets: this.#withPlanned('secret', this.#known.secrets),
      configs: this.#withPlanned('config', this.#known.configs),
    };
  }

  /** With what the file will create, under ids nobody has. */
  #withPlanned(kind: 'secret' | 'config', known: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const planned = stackData(this.#stack.stack, kind, this.#file).filter(({ name }) => !known.has(name));
    return new Map([...known, ...planned.map(({ name }) => [name, ''] as const)]);
  }

  /** The swarm keeps networks by id, the file names them. */
  #withNetworkIds(spec: WantedSpec): WantedSpec {
    const Networks = spec.TaskTemplate.Networks.map((network) => ({
      ...network,
      Target: this.#networkIds.get(network.Target) ?? network.Target,
    }));
    return { ...spec, TaskTemplate: { ...spec.TaskTemplate, Networks } };
  }
}

interface WantedSpec {
  readonly Labels: Readonly<Record<string, string>>;
  readonly TaskTemplate: {
    readonly ContainerSpec: { readonly Image: string };
    readonly Networks: readonly { readonly Target: string }[];
    readonly ForceUpdate: number;
  };
}

/** An image the file names as before stays what it became then, digest and all; forced updates are not undone. */
function keepingImage(spec: WantedSpec, present: ServiceObject): WantedSpec {
  const isSame = present.Spec.Labels[IMAGE_LABEL] === spec.Labels[IMAGE_LABEL];
  const { TaskTemplate: before } = present.Spec;
  return {
    ...spec,
    TaskTemplate: {
      ...spec.TaskTemplate,
      ForceUpdate: before.ForceUpdate ?? 0,
      ContainerSpec: {
        ...spec.TaskTemplate.ContainerSpec,
        ...(isSame ? { Image: before.ContainerSpec.Image } : {}),
      },
    },
  };
}

const shortPath = (path: string): string => path.replace(/^TaskTemplate\.(ContainerSpec\.)?/, '');

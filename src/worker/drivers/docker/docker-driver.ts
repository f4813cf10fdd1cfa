/** Runs tasks as containers of a Docker Engine, which need not know of any swarm. */
import Dockerode from 'dockerode';
import { join } from 'node:path';
import type { NetworkPeer } from '../../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Changes } from '../../assignments.ts';
import { errorText, SwarmError } from '../../../common/errors.ts';
import type { Logger } from '../../../common/log.ts';
import { TASK_LABEL } from '../../../common/task-label.ts';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { NodeDescription, PluginDescription } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import {
  ABILITIES,
  type LeftoverTask,
  type RuntimeDriver,
  type TaskController,
  type TaskDependencies,
} from '../driver.ts';
import { NetworkNamespace } from '../../network/namespace.ts';
import { canMakeVxlan } from '../../network/vxlan.ts';
import { taskName } from '../../../common/task-naming.ts';
import { PrivateFiles } from '../private-files.ts';
import { AttachmentController } from './attachment-controller.ts';
import { containerSpecOf, NODE_LABEL } from './container-config.ts';
import { DockerController } from './docker-controller.ts';
import { engineError, hasStatus } from './engine-error.ts';
import { EngineNetworks } from './engine-networks.ts';
import { KnownNodes } from './known-nodes.ts';

export interface DockerDriverOptions {
  /** Folder for what the driver has to know, and for the files of secrets; the engine must see the same path. */
  readonly directory: string;
  /** unix:///var/run/docker.sock or tcp://host:port. */
  readonly engine: string;
  /** Name of the node; that of the engine's machine unless given. */
  readonly hostname?: string;
  readonly log: Logger;
}

/** A description is asked for often; the engine is asked again only after this, in ms. */
const DESCRIPTION_AGE_MS = 5_000;

export class DockerDriver implements RuntimeDriver {
  static readonly abilities = ABILITIES;
  readonly name = 'docker';
  readonly abilities = ABILITIES;
  readonly #engine: Dockerode;
  readonly #nodes: KnownNodes;
  readonly #privateFiles: PrivateFiles;
  readonly #networks: EngineNetworks;
  readonly #hostname: string | undefined;
  #canMakeOverlays: Promise<boolean> | undefined;
  #description: { readonly value: NodeDescription; readonly atMs: number } | undefined;

  private constructor(nodes: KnownNodes, { directory, engine, hostname, log }: DockerDriverOptions) {
    this.#hostname = hostname;
    this.#engine = connect(engine);
    this.#nodes = nodes;
    this.#privateFiles = new PrivateFiles({ root: join(directory, 'private') });
    this.#networks = new EngineNetworks({ engine: this.#engine, log });
  }

  /**
   * The first time, throws unavailable when the engine does not answer: the address may be wrong. Later the agent comes up
   * without it, and goes on when the engine is back.
   */
  static async open(options: DockerDriverOptions): Promise<DockerDriver> {
    const nodes = KnownNodes.read(join(options.directory, 'node-ids'));
    const driver = new DockerDriver(nodes, options);
    if (nodes.isEmpty) {
      await driver.describe().catch((error: unknown) => {
        const why = errorText(error instanceof Error && error.cause !== undefined ? error.cause : error);
        throw new SwarmError(
          'unavailable',
          `no Docker Engine answers at ${options.engine}: ${why}; start it, or name another with --engine`,
          { cause: error },
        );
      });
    }
    return driver;
  }

  async describe(): Promise<NodeDescription> {
    const nowMs = performance.now();
    if (this.#description && nowMs - this.#description.atMs < DESCRIPTION_AGE_MS) return this.#description.value;
    try {
      this.#canMakeOverlays ??= canMakeVxlan(NetworkNamespace.own);
      const described = describe((await this.#engine.info()) as EngineInfo, await this.#canMakeOverlays);
      const value = { ...described, hostname: this.#hostname ?? described.hostname };
      this.#description = { value, atMs: nowMs };
      return value;
    } catch (error) {
      throw engineError(error);
    }
  }

  controller(task: Task, dependencies: TaskDependencies): TaskController {
    const runtime = task.spec?.runtime;
    if (runtime?.$case === 'attachment') {
      const { containerId } = runtime.value;
      return new AttachmentController({ engine: this.#engine, task, containerId, networks: this.#networks });
    }
    // Refused now rather than when it is prepared.
    containerSpecOf(task);
    return new DockerController({
      engine: this.#engine,
      task,
      dependencies,
      remember: (nodeId) => this.#nodes.add(nodeId),
      privateFiles: this.#privateFiles,
      networks: this.#networks,
      describe: () => this.describe(),
    });
  }

  meetPeers(peers: Changes<NetworkPeer>, isComplete: boolean): void {
    this.#networks.meetPeers(peers, isComplete);
  }

  async addressOf(task: Task): Promise<string | undefined> {
    const { NetworkSettings } = await this.#engine.getContainer(taskName(task)).inspect();
    return Object.values(NetworkSettings.Networks).find(({ IPAddress }) => IPAddress !== '')?.IPAddress;
  }

  async leftovers(): Promise<readonly LeftoverTask[]> {
    const containers = await this.#ownContainers();
    return containers.map((c) => ({ taskId: c.Labels[TASK_LABEL] ?? '', isRunning: c.State === 'running' }));
  }

  async removeLeftover(taskId: string): Promise<void> {
    for (const { Id } of await this.#ownContainers(`${TASK_LABEL}=${taskId}`)) {
      try {
        const container = this.#engine.getContainer(Id);
        await container.stop().catch((error: unknown) => {
          if (!hasStatus(error, 304)) throw error;
        });
        await container.remove({ force: true, v: true });
      } catch (error) {
        if (!hasStatus(error, 404)) throw engineError(error);
      }
    }
    await this.#privateFiles.remove(taskId);
    await this.#networks.sweep();
  }

  close(): Promise<void> {
    this.#networks.close();
    return Promise.resolve();
  }

  /** An engine may run the containers of several nodes. */
  async #ownContainers(label = TASK_LABEL): Promise<readonly Dockerode.ContainerInfo[]> {
    try {
      const containers = await this.#engine.listContainers({ all: true, filters: { label: [label] } });
      return containers.filter(({ Labels }) => this.#nodes.has(Labels[NODE_LABEL] ?? ''));
    } catch (error) {
      throw engineError(error);
    }
  }
}

function connect(address: string): Dockerode {
  if (address.startsWith('unix://')) return new Dockerode({ socketPath: address.slice('unix://'.length) });
  const url = new URL(address.replace(/^tcp:/, 'http:'));
  return new Dockerode({ protocol: 'http', host: url.hostname, port: url.port || '2375' });
}

/** The part of `GET /info` that is looked at. */
interface EngineInfo {
  readonly Name: string;
  readonly Architecture: string;
  readonly OSType: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly Labels: readonly string[] | null;
  readonly Plugins?: Readonly<Record<string, readonly string[] | null>>;
  readonly GenericResources?:
    | readonly {
        readonly NamedResourceSpec?: { readonly Kind: string; readonly Value: string };
        readonly DiscreteResourceSpec?: { readonly Kind: string; readonly Value: number };
      }[]
    | null;
}

/** @param canMakeOverlays whether this agent can; the engine alone cannot, whatever it says */
function describe(info: EngineInfo, canMakeOverlays: boolean): NodeDescription {
  const plugins: PluginDescription[] = Object.entries(info.Plugins ?? {})
    .flatMap(([type, names]) => (type === 'Authorization' ? [] : (names ?? []).map((name) => ({ type, name }))))
    .filter(({ type, name }) => canMakeOverlays || type !== 'Network' || name !== 'overlay');
  const labels = (info.Labels ?? []).map((label): [string, string] => {
    const at = label.indexOf('=');
    return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
  });
  return {
    hostname: info.Name,
    platform: { architecture: info.Architecture, os: info.OSType },
    resources: { nanoCpus: info.NCPU * 1e9, memoryBytes: info.MemTotal, generic: genericOf(info) },
    engine: {
      engineVersion: info.ServerVersion,
      labels: Object.fromEntries(labels),
      plugins: [...plugins, { type: 'Runtime', name: 'docker' }],
    },
    tlsInfo: undefined,
    fips: false,
    csiInfo: [],
  };
}

const genericOf = ({ GenericResources }: EngineInfo) =>
  (GenericResources ?? []).flatMap(({ NamedResourceSpec: named, DiscreteResourceSpec: discrete }) => [
    ...(named
      ? [{ resource: { $case: 'namedResourceSpec' as const, value: { kind: named.Kind, value: named.Value } } }]
      : []),
    ...(discrete
      ? [
          {
            resource: { $case: 'discreteResourceSpec' as const, value: { kind: discrete.Kind, value: discrete.Value } },
          },
        ]
      : []),
  ]);

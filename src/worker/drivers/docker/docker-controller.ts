/** One task as one container. The engine keeps the truth: after a restart of the agent everything is found there again. */
import type Dockerode from 'dockerode';
import { setTimeout } from 'node:timers/promises';
import type { NodeDescription, PortConfig } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import { taskName } from '../../../common/task-naming.ts';
import type {
  ExitStatus,
  LogLine,
  LogOptions,
  ResourceUse,
  RuntimeStatus,
  TaskController,
  TaskDependencies,
} from '../driver.ts';
import { privateFilesOf, type PrivateFiles } from '../private-files.ts';
import { TaskEndedError } from '../task-ended-error.ts';
import { upstreamServers } from '../../network/upstream.ts';
import {
  containerOptions,
  containerSpecOf,
  graceSecondsOf,
  hostPorts,
  portKey,
  type FileMount,
} from './container-config.ts';
import { endpointsOf } from './container-networks.ts';
import { engineError, hasStatus } from './engine-error.ts';
import type { EngineNetworks } from './engine-networks.ts';
import { logStream, untilStopped } from './engine-stream.ts';
import { HealthWatch } from './health-watch.ts';
import { fetchImage } from './image.ts';
import { logLines } from './log-lines.ts';

export interface DockerControllerOptions {
  readonly engine: Dockerode;
  readonly task: Task;
  readonly dependencies: TaskDependencies;
  /** Before a container is made: the node it belongs to is remembered, so that it is found again. */
  readonly remember: (nodeId: string) => Promise<void>;
  readonly privateFiles: PrivateFiles;
  readonly networks: EngineNetworks;
  readonly describe: () => Promise<NodeDescription>;
}

/** How often a container whose logs are followed is asked whether it was started, in ms. */
const START_POLL_MS = 100;

const UNHEALTHY: ExitStatus = { exitCode: 137, reason: 'dockerexec: unhealthy container' };

export class DockerController implements TaskController {
  readonly #options: DockerControllerOptions;
  readonly #detached = new AbortController();
  /** The container was stopped because it was unhealthy. */
  #wasUnhealthy = false;

  constructor(options: DockerControllerOptions) {
    this.#options = options;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    const { engine, task, dependencies, networks, privateFiles, describe } = this.#options;
    await networks.join(task);
    if (await this.#inspect()) return;
    await this.#options.remember(task.nodeId);
    await fetchImage(engine, containerSpecOf(task), signal);
    signal.throwIfAborted();
    const node = await describe();
    const files = privateFilesOf(task, dependencies, node);
    await privateFiles.write(task.id, files, { uid: 0, gid: 0 });
    const mounts = files.map((file): FileMount => ({
      source: `${privateFiles.dirOf(task.id)}/${file.relativePath}`,
      target: file.containerPath,
    }));
    try {
      const container = await engine.createContainer(containerOptions(task, node, mounts, await upstreamServers()));
      for (const { network, settings } of endpointsOf(task).slice(1)) {
        await engine.getNetwork(network).connect({ Container: container.id, EndpointConfig: settings });
      }
    } catch (error) {
      await this.remove();
      throw engineError(error);
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#options.networks.join(this.#options.task);
    const found = await this.#inspect();
    if (found && (found.State.Running || found.State.FinishedAt > '0002')) {
      // Started before: by an earlier run of the agent, or it has ended meanwhile, which wait() will tell.
      if (found.State.Running) await this.#untilHealthy(signal);
      return;
    }
    await this.#run(signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    this.#wasUnhealthy = false;
    await this.#options.networks.join(this.#options.task);
    await this.#run(signal);
  }

  async wait(signal: AbortSignal): Promise<ExitStatus> {
    if (this.#wasUnhealthy) return UNHEALTHY;
    await this.#options.networks.join(this.#options.task);
    this.#options.networks.announce(this.#options.task, true);
    const ended = new AbortController();
    const over = AbortSignal.any([signal, this.#detached.signal, ended.signal]);
    const health = (await this.#hasHealthCheck()) ? this.#stopWhenUnhealthy(over) : undefined;
    try {
      const code = await this.#untilEnded(signal);
      if (this.#wasUnhealthy) return UNHEALTHY;
      return { exitCode: code, reason: await this.#oomReason() };
    } finally {
      this.#options.networks.announce(this.#options.task, false);
      ended.abort();
      await health;
    }
  }

  async stop(signal?: AbortSignal): Promise<void> {
    this.#options.networks.announce(this.#options.task, false);
    try {
      const t = graceSecondsOf(containerSpecOf(this.#options.task));
      await this.#container.stop(signal ? { t, abortSignal: signal } : { t });
    } catch (error) {
      signal?.throwIfAborted();
      if (!hasStatus(error, 304) && !hasStatus(error, 404)) throw engineError(error);
    }
  }

  async finish(): Promise<void> {
    await this.#options.networks.leave(this.#options.task);
    await this.#options.privateFiles.remove(this.#options.task.id);
  }

  async remove(): Promise<void> {
    try {
      await this.#container.remove({ force: true, v: true });
    } catch (error) {
      // 409: a removal is under way already.
      if (!hasStatus(error, 404) && !hasStatus(error, 409)) throw engineError(error);
    }
    await this.finish();
  }

  async status(): Promise<RuntimeStatus | undefined> {
    const found = await this.#inspect();
    return found && { containerId: found.Id, pid: found.State.Pid, ports: boundPorts(this.#options.task, found) };
  }

  async *logs(options: LogOptions, signal: AbortSignal): AsyncGenerator<LogLine> {
    if ((!options.stdout && !options.stderr) || (options.tail === 0 && !options.follow)) return;
    const { engine, task } = this.#options;
    const query = {
      stdout: options.stdout,
      stderr: options.stderr,
      follow: options.follow,
      timestamps: true,
      details: true,
      since: options.sinceMs / 1000,
      tail: options.tail ?? 'all',
    };
    try {
      if (options.follow) await this.#untilStarted(signal);
      yield* logLines(await logStream(engine, taskName(task), query, signal), containerSpecOf(task).tty);
    } catch (error) {
      if (!signal.aborted) throw engineError(error);
    }
  }

  async stats(): Promise<ResourceUse | undefined> {
    try {
      const stats = await this.#container.stats({ stream: false, 'one-shot': true });
      return {
        cpuNs: stats.cpu_stats.cpu_usage.total_usage,
        memoryBytes: stats.memory_stats.usage ?? 0,
        pids: stats.pids_stats?.current ?? 0,
      };
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw engineError(error);
    }
  }

  detach(): void {
    this.#detached.abort();
  }

  get #container(): Dockerode.Container {
    return this.#options.engine.getContainer(taskName(this.#options.task));
  }

  /** The engine follows only what has been started; from a container that was not, it would give nothing and end. */
  async #untilStarted(signal: AbortSignal): Promise<void> {
    for (;;) {
      const state = (await this.#inspect())?.State;
      if (!state || state.StartedAt > '0002' || state.Error !== '') return;
      await setTimeout(START_POLL_MS, undefined, { signal });
    }
  }

  /** An image may bring a health check of its own, so the engine is asked. */
  async #hasHealthCheck(): Promise<boolean> {
    const test = (await this.#inspect())?.Config.Healthcheck?.Test ?? [];
    return test.length > 0 && test[0] !== 'NONE';
  }

  async #inspect(): Promise<Dockerode.ContainerInspectInfo | undefined> {
    try {
      return await this.#container.inspect();
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw engineError(error);
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await this.#container.start();
    } catch (error) {
      if (!hasStatus(error, 304)) throw engineError(error, 'starting container failed: ');
    }
    await this.#untilHealthy(signal);
  }

  async #untilHealthy(signal: AbortSignal): Promise<void> {
    if (!(await this.#hasHealthCheck())) return;
    const watch = new HealthWatch(
      this.#options.engine,
      this.#container,
      AbortSignal.any([signal, this.#detached.signal]),
    );
    const health = await watch.settled();
    if (health === 'healthy') return;
    if (health === 'unhealthy') {
      this.#wasUnhealthy = true;
      await this.stop();
      throw new TaskEndedError(UNHEALTHY);
    }
    const ended = await this.#inspect();
    throw new TaskEndedError({ exitCode: ended?.State.ExitCode ?? 1, reason: '' });
  }

  async #stopWhenUnhealthy(over: AbortSignal): Promise<void> {
    const watch = new HealthWatch(this.#options.engine, this.#container, over);
    if ((await watch.unhealthy().catch(() => false)) === true) {
      this.#wasUnhealthy = true;
      await this.stop().catch(() => undefined);
    }
  }

  async #untilEnded(signal: AbortSignal): Promise<number> {
    const over = AbortSignal.any([signal, this.#detached.signal]);
    try {
      return await untilStopped(this.#options.engine, taskName(this.#options.task), over);
    } catch (error) {
      over.throwIfAborted();
      throw engineError(error);
    }
  }

  async #oomReason(): Promise<string> {
    const found = await this.#inspect().catch(() => undefined);
    return found?.State.OOMKilled ? 'out of memory' : (found?.State.Error ?? '');
  }
}

/** Host ports as the engine bound them, once for IPv4 and once for IPv6 as Docker's agents report them. */
function boundPorts(task: Task, found: Dockerode.ContainerInspectInfo): readonly PortConfig[] {
  // A container's port may be published several times; the engine tells all bindings under it.
  const asked = new Map(hostPorts(task).map((port) => [portKey(port), port]));
  return [...asked].flatMap(([key, port]) =>
    (found.NetworkSettings.Ports?.[key] ?? []).map((binding): PortConfig => ({
      ...port,
      publishedPort: Number(binding.HostPort),
    })),
  );
}

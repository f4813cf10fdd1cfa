/** The life of one task as a process on the host. Everything it needs to know after an agent restart is in the task's folder. */
import { existsSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import type { Clock } from '../../../common/clock.ts';
import { SwarmError } from '../../../common/errors.ts';
import type { Logger } from '../../../common/log.ts';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { NodeDescription } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { UNHEALTHY_REASON, watchHealth, type Health } from '../../health-check.ts';
import type {
  ExitStatus,
  LogLine,
  LogOptions,
  ResourceUse,
  RuntimeStatus,
  TaskController,
  TaskDependencies,
} from '../driver.ts';
import { TaskEndedError } from '../task-ended-error.ts';
import type { TaskCgroup } from './task-cgroup.ts';
import { runProbe } from './health-probe.ts';
import {
  commandLine,
  environmentOf,
  findExecutable,
  probeLine,
  startShim,
  userOf,
  type HostTools,
} from './launcher.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { readLogs } from './log-reader.ts';
import { OutputCollector } from './output-collector.ts';
import { privateFilesOf, wantsPrivateFiles, type PrivateFiles } from '../private-files.ts';
import { clearRun, type EndedRun } from './run-state.ts';
import { SupervisedRun } from './supervised-run.ts';
import type { TaskFolder } from './task-folder.ts';
import type { ProcessUser } from './users.ts';

export interface ProcessControllerOptions {
  readonly task: Task;
  readonly plan: LaunchPlan;
  readonly dependencies: TaskDependencies;
  readonly node: NodeDescription;
  readonly folder: TaskFolder;
  readonly cgroup: TaskCgroup;
  readonly privateFiles: PrivateFiles;
  readonly tools: HostTools;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Said of a process whose end nobody saw. */
const UNSEEN_EXIT_CODE = 137;

export class ProcessController implements TaskController {
  readonly #options: ProcessControllerOptions;
  readonly #run: SupervisedRun;
  #collector: OutputCollector | undefined;
  #watchingHealth: AbortController | undefined;
  #health: Health = 'starting';
  #onHealth: () => void = () => undefined;

  constructor(options: ProcessControllerOptions) {
    this.#options = options;
    const { folder, cgroup, clock } = options;
    this.#run = new SupervisedRun({ runDir: folder.runDir, cgroup, clock });
  }

  async prepare(): Promise<void> {
    const { plan, folder, privateFiles, task, dependencies, node } = this.#options;
    if (folder.isPrepared) return;
    const user = userOf(plan);
    this.#line(plan.argv, user);
    const files = privateFilesOf(task, dependencies, node);
    await privateFiles.write(task.id, files, {
      uid: user?.uid ?? process.getuid?.() ?? 0,
      gid: user?.gid ?? process.getgid?.() ?? 0,
    });
    await folder.make({ stopSignal: plan.stopSignal, stopGraceMs: plan.stopGraceMs });
    if (user) await chown(folder.workDir, user.uid, user.gid);
  }

  async start(signal: AbortSignal): Promise<void> {
    if (!this.#options.folder.isPrepared) {
      throw new SwarmError('failedPrecondition', `task ${this.#options.task.id} was not prepared on this node`);
    }
    if (this.#run.state.kind === 'none') await this.#launch();
    await this.#collect();
    await this.#healthyOrThrow(signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    const { state } = this.#run;
    if (state.kind === 'ended') {
      this.#run.killRest();
      clearRun(this.#options.folder.runDir);
    }
    this.#stopHealth();
    this.#health = 'starting';
    await this.start(signal);
  }

  async wait(signal: AbortSignal): Promise<ExitStatus> {
    await this.#collect();
    this.#watchHealth();
    const ended = await this.#run.ended(signal);
    return this.#afterEnd(ended);
  }

  async stop(signal: AbortSignal): Promise<void> {
    const { folder, plan } = this.#options;
    this.#stopHealth();
    if (!folder.isPrepared) return;
    const { kind } = this.#run.state;
    if (kind === 'running' || kind === 'claimed') await this.#run.stop(folder.note() ?? plan, signal);
    this.#run.killRest();
    await this.#collector?.finish();
    await this.finish();
  }

  async finish(): Promise<void> {
    await this.#options.privateFiles.remove(this.#options.task.id);
  }

  async remove(signal: AbortSignal): Promise<void> {
    const { folder, cgroup } = this.#options;
    await this.stop(signal);
    await this.#collector?.detach();
    this.#collector = undefined;
    await this.finish();
    await cgroup.remove();
    await folder.remove();
  }

  status(): Promise<RuntimeStatus | undefined> {
    const { folder, plan, task } = this.#options;
    if (!folder.isPrepared) return Promise.resolve(undefined);
    const { state } = this.#run;
    const pid = state.kind === 'running' ? state.process.pid : 0;
    // Ports are the process's own to open; while it runs they count as its.
    return Promise.resolve({ containerId: task.id, pid, ports: state.kind === 'running' ? plan.ports : [] });
  }

  async *logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
    const { folder } = this.#options;
    if (!folder.isPrepared) return;
    const collector = await this.#collect();
    await collector.flush();
    yield* readLogs(folder.outputDir, options, collector, signal);
  }

  stats(): Promise<ResourceUse | undefined> {
    return Promise.resolve(this.#run.state.kind === 'running' ? this.#options.cgroup.usage() : undefined);
  }

  detach(): void {
    this.#stopHealth();
    void this.#collector?.detach();
  }

  async #launch(): Promise<void> {
    const { plan, folder, cgroup, privateFiles, task } = this.#options;
    const user = userOf(plan);
    const { env, cwd } = this.#surroundings(user);
    if (wantsPrivateFiles(task) && !existsSync(privateFiles.dirOf(task.id))) {
      // They live in memory only: after a reboot just a manager can give them again, to a new task.
      throw new SwarmError(
        'failedPrecondition',
        'the secrets and configs of the task are gone, as after a reboot of the node',
      );
    }
    if (!existsSync(cwd))
      throw new SwarmError('invalidArgument', `working folder "${cwd}" does not exist on this node`);
    const [program = ''] = plan.argv;
    if (findExecutable(program, env['PATH'] ?? '', cwd) === undefined) {
      throw new SwarmError(
        'invalidArgument',
        `starting process failed: "${program}": executable file not found in $PATH`,
      );
    }
    const shim = await startShim({
      line: this.#line(plan.argv, user),
      env,
      cwd,
      runDir: folder.runDir,
      outputDir: plan.logs.isKept ? folder.outputDir : undefined,
      joinFiles: cgroup.make(plan.limits),
    });
    this.#run.watchShim(shim);
  }

  #line(command: readonly string[], user: ProcessUser | undefined): readonly string[] {
    return commandLine(command, this.#options.plan, user, this.#options.tools);
  }

  #surroundings(user: ProcessUser | undefined): { readonly env: Record<string, string>; readonly cwd: string } {
    const { plan, folder, privateFiles, task } = this.#options;
    return {
      env: environmentOf(plan, user, privateFiles.dirOf(task.id)),
      cwd: plan.dir || folder.workDir,
    };
  }

  /** The collector of this task, at work as long as there is something to collect. */
  async #collect(): Promise<OutputCollector> {
    const { folder, plan, clock, log } = this.#options;
    if (!this.#collector) {
      this.#collector = new OutputCollector({ dir: folder.outputDir, limits: plan.logs, clock, log });
    }
    const { kind } = this.#run.state;
    // One that has not begun yet will: whoever follows its log already is not to miss it.
    const isToCome = kind === 'none' && folder.isPrepared;
    if (kind === 'running' || kind === 'claimed' || isToCome) this.#collector.start();
    else await this.#collector.finish();
    return this.#collector;
  }

  async #afterEnd(ended: EndedRun): Promise<ExitStatus> {
    const { cgroup, plan } = this.#options;
    const wasUnhealthy = this.#health === 'unhealthy';
    this.#stopHealth();
    this.#run.killRest();
    await this.#collector?.finish();
    const exitCode = ended.exitCode ?? UNSEEN_EXIT_CODE;
    if (wasUnhealthy) return { exitCode, reason: UNHEALTHY_REASON };
    if (exitCode !== 0 && cgroup.outOfMemoryKills() > 0) {
      return { exitCode, reason: `out of memory: killed at the limit of ${plan.limits.memoryBytes} bytes` };
    }
    return { exitCode, reason: ended.unseen };
  }

  #watchHealth(): void {
    const { plan, clock } = this.#options;
    if (!plan.health || this.#watchingHealth) return;
    const watching = new AbortController();
    this.#watchingHealth = watching;
    const options = {
      plan: plan.health,
      clock,
      probe: (signal: AbortSignal) => this.#probe(signal),
      onChange: (health: Health) => {
        this.#health = health;
        this.#onHealth();
        if (health === 'unhealthy') void this.#stopUnhealthy();
      },
    };
    void watchHealth(options, watching.signal);
  }

  #probe(signal: AbortSignal): Promise<boolean> {
    const { plan, cgroup } = this.#options;
    const user = userOf(plan);
    const { env, cwd } = this.#surroundings(user);
    const line = probeLine(plan.health?.command ?? [], user, this.#options.tools);
    return runProbe({ line, env, cwd, joinFiles: cgroup.joinFiles() }, signal);
  }

  async #stopUnhealthy(): Promise<void> {
    const { folder, plan, log, task } = this.#options;
    log.info({ taskId: task.id }, 'stopping an unhealthy task');
    await this.#run.stop(folder.note() ?? plan, new AbortController().signal).catch((error: unknown) => {
      log.warn({ taskId: task.id, err: error }, 'an unhealthy task could not be stopped');
    });
  }

  #stopHealth(): void {
    this.#watchingHealth?.abort();
    this.#watchingHealth = undefined;
  }

  /** Without a health check a started process is as good as a healthy one. */
  async #healthyOrThrow(signal: AbortSignal): Promise<void> {
    if (!this.#options.plan.health || this.#health === 'healthy') return;
    this.#watchHealth();
    const ending = new AbortController();
    const healthy = new Promise<undefined>((resolve) => {
      this.#onHealth = () => {
        if (this.#health === 'healthy') resolve(undefined);
      };
    });
    const onAbort = (): void => ending.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const ended = await Promise.race([healthy, this.#run.ended(ending.signal)]);
      if (ended) throw new TaskEndedError(await this.#afterEnd(ended));
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#onHealth = () => undefined;
      ending.abort();
    }
  }
}

/**
 * Runs tasks as plain processes of this machine: the runtime that needs nothing installed. An image named `host` stands
 * for the host's own file system; see README.md for what such a task gets and what it does not.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock, type Clock } from '../../../common/clock.ts';
import { errorText, SwarmError } from '../../../common/errors.ts';
import type { Logger } from '../../../common/log.ts';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { NodeDescription } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { describeHost } from '../../host-description.ts';
import {
  ABILITIES,
  type LeftoverTask,
  type RuntimeDriver,
  type TaskController,
  type TaskDependencies,
} from '../driver.ts';
import { detectCgroups, type Cgroups } from './cgroups.ts';
import { findHostTools, type HostTools } from './launcher.ts';
import { launchPlan } from './launch-plan.ts';
import { PrivateFiles } from '../private-files.ts';
import { ProcessController } from './process-controller.ts';
import { SupervisedRun } from './supervised-run.ts';
import { TaskFolder } from './task-folder.ts';

export interface ProcessDriverOptions {
  /** Keeps everything about the tasks; made if missing. */
  readonly directory: string;
  readonly engineVersion: string;
  readonly log: Logger;
  /** For secrets and configs; mounted in memory where allowed. @default a folder of its own below /run, or in `directory` */
  readonly privateDirectory?: string;
  /** What can be limited. @default found out from /sys/fs/cgroup */
  readonly cgroups?: Cgroups;
  readonly hostname?: string;
  readonly clock?: Clock;
}

export class ProcessDriver implements RuntimeDriver {
  static readonly abilities = ABILITIES;
  readonly name = 'process';
  readonly abilities = ABILITIES;
  readonly #root: string;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #cgroups: Cgroups;
  readonly #tools: HostTools;
  readonly #privateFiles: PrivateFiles;
  readonly #description: () => NodeDescription;

  /** Throws failedPrecondition when the machine lacks what the driver is built on. */
  constructor(options: ProcessDriverOptions) {
    this.#root = path.resolve(options.directory);
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    if (process.platform !== 'linux') {
      throw new SwarmError(
        'failedPrecondition',
        `the process driver needs Linux, this is ${process.platform}: use another --runtime`,
      );
    }
    try {
      mkdirSync(this.#root, { recursive: true, mode: 0o711 });
    } catch (cause) {
      throw new SwarmError('failedPrecondition', `the process driver cannot use ${this.#root}: ${errorText(cause)}`, {
        cause,
      });
    }
    this.#tools = findHostTools();
    if (this.#tools.setsid === undefined) {
      throw new SwarmError('failedPrecondition', 'the process driver needs setsid: install util-linux on this node');
    }
    this.#cgroups = options.cgroups ?? detectCgroups();
    this.#privateFiles = new PrivateFiles({ root: options.privateDirectory ?? defaultPrivateDirectory(this.#root) });
    const { engineVersion, hostname } = options;
    const labels = driverLabels(this.#cgroups, this.#tools);
    this.#description = () =>
      describeHost({ engineVersion, labels, plugins: PLUGINS, ...(hostname !== undefined && { hostname }) });
  }

  describe(): Promise<NodeDescription> {
    return Promise.resolve(this.#description());
  }

  controller(task: Task, dependencies: TaskDependencies): TaskController {
    const node = this.#description();
    return new ProcessController({
      task,
      plan: launchPlan(task, node),
      dependencies,
      node,
      folder: new TaskFolder(this.#root, task.id),
      cgroup: this.#cgroups.group(task.id),
      privateFiles: this.#privateFiles,
      tools: this.#tools,
      clock: this.#clock,
      log: this.#log,
    });
  }

  leftovers(): Promise<readonly LeftoverTask[]> {
    const names = readdirSync(this.#root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== PRIVATE_DIR)
      .map((entry) => entry.name);
    return Promise.resolve(names.map((taskId) => ({ taskId, isRunning: this.#run(taskId).state.kind === 'running' })));
  }

  async removeLeftover(taskId: string): Promise<void> {
    const folder = new TaskFolder(this.#root, taskId);
    const run = this.#run(taskId);
    const note = folder.note();
    const never = new AbortController().signal;
    if (note && run.state.kind !== 'none') await run.stop(note, never);
    run.killRest();
    await this.#privateFiles.remove(taskId);
    await this.#cgroups.group(taskId).remove();
    await folder.remove();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #run(taskId: string): SupervisedRun {
    const { runDir } = new TaskFolder(this.#root, taskId);
    return new SupervisedRun({ runDir, cgroup: this.#cgroups.group(taskId), clock: this.#clock });
  }
}

const PRIVATE_DIR = 'private';

const PLUGINS = [
  { type: 'Log', name: 'json-file' },
  { type: 'Log', name: 'none' },
  { type: 'Network', name: 'host' },
  { type: 'Runtime', name: 'process' },
];

/** Where a driver keeps secrets: root has a place of its own in memory-backed or mountable /run; anybody else stays inside the driver's folder. */
export function defaultPrivateDirectory(root: string): string {
  if (process.getuid?.() !== 0) return path.join(root, PRIVATE_DIR);
  const id = createHash('sha256').update(root).digest('hex').slice(0, 12);
  return path.join('/run', `swarmd-${id}`);
}

/** What cannot be promised on this node is said on the node. */
function driverLabels(cgroups: Cgroups, tools: HostTools): Readonly<Record<string, string>> {
  const isRoot = process.getuid?.() === 0;
  const limits = cgroups.controllers.length > 0 ? cgroups.controllers.join(',') : 'none';
  return {
    'swarmd.process.limits': limits,
    'swarmd.process.cgroup': cgroups.version,
    ...(cgroups.problem !== '' && { 'swarmd.process.limits.problem': cgroups.problem }),
    'swarmd.process.users': isRoot && tools.setpriv !== undefined ? 'any' : os.userInfo().username,
  };
}

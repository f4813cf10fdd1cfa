/**
 * What a runtime must be able to do. A driver knows how to run one task; it knows nothing of states, managers or the store.
 * Every call may be repeated after an agent restart: "already done" is success. `test/support/driver-compliance.ts` is the contract as tests.
 */
import type { NodeDescription } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { PortConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { NetworkPeer } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import type { Changes } from '../assignments.ts';
import type { Config, Secret, Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

/** Secrets and configs a task may read; anything not referenced by the task is absent. */
export interface TaskDependencies {
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly configs: ReadonlyMap<string, Config>;
}

/** What is known of the thing that runs a task. */
export interface RuntimeStatus {
  /** Container id, or the driver's own handle. */
  readonly containerId: string;
  /** 0 while not running. */
  readonly pid: number;
  /** Host ports actually bound, as the task's port status reports them. */
  readonly ports: readonly PortConfig[];
}

/** How a task ended. */
export interface ExitStatus {
  /** 0 to 255; 128 + signal number when killed by a signal. */
  readonly exitCode: number;
  /** Why, when the exit code does not say it all, for example "unhealthy container"; empty otherwise. */
  readonly reason: string;
}

export interface LogAttribute {
  readonly key: string;
  readonly value: string;
}

/** One line a task printed. `data` has no trailing newline. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When it was printed, ms since 1970 with fraction. */
  readonly timeMs: number;
  readonly data: Uint8Array;
  /** What the log driver was asked to note with every line. */
  readonly attributes?: readonly LogAttribute[];
  /** The task ended without ending the line. */
  readonly isOpen?: boolean;
}

export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Last lines to show; undefined for all. */
  readonly tail: number | undefined;
  /** Lines printed before this moment are left out, ms since 1970; 0 for all. */
  readonly sinceMs: number;
}

export interface ResourceUse {
  /** CPU time consumed so far, in ns. */
  readonly cpuNs: number;
  readonly memoryBytes: number;
  readonly pids: number;
}

/**
 * The life of one task in a runtime. Errors: `SwarmError` with code `unavailable` means "try again later, same step";
 * any other error is final for the task (REJECTED before start, FAILED after).
 */
export interface TaskController {
  /** Fetches the image, makes the container or folder; everything short of running. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Starts it; with a health check resolves once healthy, and throws {@link TaskEndedError} when it ends or turns unhealthy before. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when the task has ended (or turned unhealthy and was stopped). */
  wait(signal: AbortSignal): Promise<ExitStatus>;
  /** Asks it to stop: stop signal, grace period, then kill. Resolves when it has ended. */
  stop(signal: AbortSignal): Promise<void>;
  /**
   * Runs a task that has ended once more in place, healthy before it resolves as with `start`: same container or folder,
   * same private files, earlier logs kept. Only used while the node is cut off from every manager.
   */
  restart(signal: AbortSignal): Promise<void>;
  /** The final state is decided: private files (secrets) may go now, status and logs stay until `remove`. */
  finish?(): Promise<void>;
  /** Removes every trace: container or folder, private files, logs. Stops it first if it still runs. */
  remove(signal: AbortSignal): Promise<void>;
  /** undefined before prepare. */
  status(): Promise<RuntimeStatus | undefined>;
  logs(options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine>;
  stats(): Promise<ResourceUse | undefined>;
  /** Lets go without stopping anything: the agent ends but the task goes on. */
  detach(): void;
}

/** What a driver found of earlier tasks when the agent starts. */
export interface LeftoverTask {
  readonly taskId: string;
  readonly isRunning: boolean;
}

/** What not every runtime can do: a pretend one prints nothing, for example. */
export const ABILITIES = [
  'ends by itself',
  'refuses tasks',
  'logs',
  'stop signal',
  'health',
  'stats',
  'survives the driver',
] as const;
export type Ability = (typeof ABILITIES)[number];

export interface RuntimeDriver {
  /** As in `--runtime`: process, docker, scripted, hollow. */
  readonly name: string;
  readonly abilities: readonly Ability[];
  /** Description of this node as the runtime sees it: platform, resources, engine version, labels, plugins. */
  describe(): Promise<NodeDescription>;
  /** The controller of a task; dependencies are read when the task is prepared. Throws invalidArgument when the task can never run here. */
  controller(task: Task, dependencies: TaskDependencies): TaskController;
  /**
   * Who else is on the networks of this node's tasks; for drivers that build those networks by themselves. A complete set
   * replaces what was known.
   */
  meetPeers?(peers: Changes<NetworkPeer>, isComplete: boolean): void;
  /** Where the ports of a running task are, seen from this host; undefined when it listens on the host itself. */
  addressOf?(task: Task): Promise<string | undefined>;
  /** Tasks of earlier runs of the agent that still leave something behind. */
  leftovers(): Promise<readonly LeftoverTask[]>;
  /** Stops and removes what an earlier run left of a task that is no longer assigned. */
  removeLeftover(taskId: string): Promise<void>;
  /** Ends the driver's own resources; tasks go on. */
  close(): Promise<void>;
}

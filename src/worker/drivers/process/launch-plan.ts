/** From a task to what is run: command line, environment, user, folders, limits. Pure, and refuses what a bare process cannot have. */
import os from 'node:os';
import { SwarmError } from '../../../common/errors.ts';
import { isHostImage } from '../../../common/host-image.ts';
import { msOfDuration } from '../../../common/time.ts';
import type { Task } from '../../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  PortConfig_Protocol as Protocol,
  PortConfig_PublishMode as PublishMode,
  type NodeDescription,
  type PortConfig,
} from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { declaredEnvironment, genericEnvironment } from '../../task-environment.ts';
import { healthPlanOf, type HealthPlan } from '../../health-check.ts';
import { taskName, templateContext } from '../../../common/task-naming.ts';
import { expandTemplate } from '../../../common/service-template.ts';

export interface LaunchPlan {
  readonly argv: readonly string[];
  /** From the spec, templates expanded; the driver adds PATH, HOME and where secrets lie. */
  readonly env: Readonly<Record<string, string>>;
  /** As in the spec: "user", "uid:gid", …; empty for the agent's own user. */
  readonly user: string;
  readonly groups: readonly string[];
  /** Working folder; empty for the task's own scratch folder. */
  readonly dir: string;
  /** Empty to leave the machine's name. */
  readonly hostname: string;
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMs: number;
  readonly limits: ProcessLimits;
  readonly ulimits: readonly Ulimit[];
  readonly health: HealthPlan | undefined;
  readonly ports: readonly PortConfig[];
  readonly logs: LogLimits;
}

/** 0 for no limit. */
export interface ProcessLimits {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** Swap beyond the memory limit, in bytes; undefined to leave it to the kernel, -1 for no limit. */
  readonly swapBytes: number | undefined;
  /** Memory the process should keep under pressure, in bytes. */
  readonly reservedMemoryBytes: number;
  readonly pids: number;
}

interface Ulimit {
  readonly name: string;
  /** -1 for unlimited. */
  readonly soft: number;
  readonly hard: number;
}

export interface LogLimits {
  /** False when the task asked for no logs. */
  readonly isKept: boolean;
  /** A file is closed and the next one begun at this size. */
  readonly maxFileBytes: number;
  readonly maxFiles: number;
}

const DEFAULT_GRACE_MS = 10_000;
const DEFAULT_LOG_FILE_BYTES = 10 * 1024 * 1024;
const DEFAULT_LOG_FILES = 3;

/** Throws invalidArgument naming the field that a process on the host cannot have, and the value. */
export function launchPlan(task: Task, node: NodeDescription): LaunchPlan {
  const spec = containerSpec(task);
  refuseForeignImage(spec.image);
  refuseContainerOnlyFields(spec);
  const argv = [...spec.command, ...spec.args];
  if (argv.length === 0) {
    throw new SwarmError('invalidArgument', 'image "host" has no command of its own: give the command to run');
  }
  const context = templateContext(task, node);
  const ports = hostPorts(task);
  const hostname = expandTemplate(spec.hostname, context);
  const limits = task.spec?.resources;
  return {
    argv,
    env: {
      ...portVariables(ports),
      ...genericEnvironment(task.assignedGenericResources),
      HOSTNAME: hostname || node.hostname,
      SWARMD_TASK_ID: task.id,
      SWARMD_TASK_NAME: taskName(task),
      SWARMD_TASK_SLOT: context.Task.Slot,
      SWARMD_SERVICE_ID: task.serviceId,
      SWARMD_SERVICE_NAME: context.Service.Name,
      SWARMD_NODE_ID: task.nodeId,
      ...declaredEnvironment(spec.env, context),
    },
    user: spec.user,
    groups: spec.groups,
    dir: spec.dir,
    hostname,
    stopSignal: signalOf(spec.stopSignal),
    stopGraceMs: spec.stopGracePeriod ? msOfDuration(spec.stopGracePeriod) : DEFAULT_GRACE_MS,
    limits: {
      nanoCpus: limits?.limits?.nanoCpus ?? 0,
      memoryBytes: limits?.limits?.memoryBytes ?? 0,
      swapBytes: limits?.swapBytes,
      reservedMemoryBytes: limits?.reservations?.memoryBytes ?? 0,
      pids: Math.max(0, spec.pidsLimit),
    },
    ulimits: spec.ulimits,
    health: healthPlanOf(spec.healthcheck),
    ports,
    logs: logLimits(task),
  };
}

export function containerSpec(task: Task): ContainerSpec {
  const runtime = task.spec?.runtime;
  if (runtime?.$case !== 'container') {
    throw new SwarmError(
      'invalidArgument',
      `the process driver runs commands, not tasks of kind "${runtime?.$case ?? 'none'}"`,
    );
  }
  return runtime.value;
}

function refuseForeignImage(image: string): void {
  if (isHostImage(image)) return;
  throw new SwarmError(
    'invalidArgument',
    `image "${image}" cannot run on this node: its process driver only knows image "host" (a command on the host); ` +
      'use image host, or a node with a container runtime',
  );
}

/** Fields that promise isolation or files a bare process does not get are refused rather than ignored. */
function refuseContainerOnlyFields(spec: ContainerSpec): void {
  const given: readonly (readonly [string, boolean])[] = [
    ['mounts', spec.mounts.length > 0],
    ['tty', spec.tty],
    ['read-only root', spec.readOnly],
    ['sysctls', Object.keys(spec.sysctls).length > 0],
    ['added capabilities', spec.capabilityAdd.length > 0],
    ['dropped capabilities', spec.capabilityDrop.length > 0],
    ['hosts', spec.hosts.length > 0],
    ['dns settings', (spec.dnsConfig?.nameservers.length ?? 0) > 0],
  ];
  const refused = given.filter(([, isGiven]) => isGiven).map(([field]) => field);
  if (refused.length === 0) return;
  throw new SwarmError(
    'invalidArgument',
    `the process driver runs commands on the host as they are and has no ${refused.join(', no ')}: leave it out, or use a container image`,
  );
}

const hostPorts = (task: Task): readonly PortConfig[] =>
  (task.endpoint?.ports ?? []).filter((port) => port.publishMode === PublishMode.HOST);

/** SWARMD_PORT_<target>_<PROTOCOL>, and SWARMD_PORT_<NAME> for named ones: the host port the process is to listen on. */
function portVariables(ports: readonly PortConfig[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const port of ports) {
    const published = String(port.publishedPort || port.targetPort);
    const protocol = Object.entries(Protocol).find(([, value]) => value === port.protocol)?.[0] ?? 'TCP';
    result[`SWARMD_PORT_${port.targetPort}_${protocol}`] = published;
    if (port.name) result[`SWARMD_PORT_${port.name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`] = published;
  }
  return result;
}

/** A signal by name, with or without SIG, or number. Throws invalidArgument naming it. */
export function signalOf(text: string): NodeJS.Signals {
  if (text === '') return 'SIGTERM';
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const known = Object.entries(os.constants.signals);
  const found = known.find(([signal, number]) => signal === name || String(number) === text);
  if (!found) throw new SwarmError('invalidArgument', `stop signal "${text}" is not known: use a name such as SIGTERM`);
  return found[0] as NodeJS.Signals;
}

function logLimits(task: Task): LogLimits {
  const driver = task.logDriver ?? task.spec?.logDriver;
  const options = driver?.options ?? {};
  return {
    isKept: driver?.name !== 'none',
    maxFileBytes: byteSize(options['max-size']) ?? DEFAULT_LOG_FILE_BYTES,
    maxFiles: Math.max(1, Number(options['max-file'] ?? DEFAULT_LOG_FILES) || DEFAULT_LOG_FILES),
  };
}

/** "10m", "64k", "1g" or a number of bytes; undefined when it cannot be understood. */
function byteSize(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)b?$/i.exec(text ?? '');
  if (!match) return undefined;
  const factor = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[(match[2] ?? '').toLowerCase()] ?? 1;
  return Math.max(4096, Number(match[1]) * factor);
}

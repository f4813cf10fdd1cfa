/** The flags of `service create` and `service update`, and what each does to a spec. */
import { Option, type Command } from 'commander';
import { STRATEGIES } from '../../../common/service-labels.ts';
import { collect, listFlag, textFlag, type Flags } from '../../context.ts';
import type { ServiceSpecObject, UpdateConfigObject } from '../../types.ts';
import { UsageError } from '../../usage-error.ts';
import { bytes, cpus, duration, keyValues, milliseconds, ratio, wholeNumber } from '../../values.ts';
import { addWaitFlags } from './wait.ts';

const same = (_flag: string, text: string): string => text;
const checkedDuration = (flag: string, text: string): string => {
  milliseconds(flag, text);
  return text;
};

/** Settings that Docker's spec has no field for travel as labels. */
const LABELS = {
  strategy: { label: 'swarmd.strategy', parse: same },
  restartMaxDelay: { label: 'swarmd.restart.max-delay', parse: checkedDuration },
  updateProgressDeadline: { label: 'swarmd.update.progress-deadline', parse: checkedDuration },
} as const;

/** Flags that mean the same when a service is made and when it is changed. */
export function addCommonFlags(command: Command): Command {
  command
    .option('--replicas <n>', 'how many tasks; of a job: how many completions')
    .option('--max-concurrent <n>', 'most tasks of a replicated job at a time (default of a new one: all)')
    .addOption(new Option('--strategy <name>', 'how nodes are chosen').choices(STRATEGIES))
    .option('--user <name[:group]>', 'user the tasks run as')
    .option('-w, --workdir <dir>', 'working folder of the tasks')
    .option('--hostname <name>', 'host name inside the tasks; may be a template')
    .option('--stop-signal <signal>', 'signal that asks a task to end')
    .option('--stop-grace-period <duration>', 'time a task gets to end before it is killed')
    .option('--limit-cpu <n>', 'CPUs a task may use')
    .option('--limit-memory <bytes>', 'memory a task may use')
    .option('--limit-pids <n>', 'processes a task may have')
    .option('--reserve-cpu <n>', 'CPUs kept free for a task')
    .option('--reserve-memory <bytes>', 'memory kept free for a task')
    .option('--replicas-max-per-node <n>', 'most tasks on one node (0: no limit)')
    .option('--health-cmd <command>', 'command that tells whether a task is healthy')
    .option('--health-interval <duration>', 'time between health checks')
    .option('--health-timeout <duration>', 'longest a health check may take')
    .option('--health-retries <n>', 'failures in a row that make a task unhealthy')
    .option('--health-start-period <duration>', 'time in which failures do not count')
    .addOption(
      new Option('--restart-condition <when>', 'when an ended task is replaced').choices(['none', 'on-failure', 'any']),
    )
    .option('--restart-delay <duration>', 'wait before a task is replaced')
    .option('--restart-max-attempts <n>', 'most replacements of a task')
    .option('--restart-window <duration>', 'time in which replacements are counted')
    .option('--restart-max-delay <duration>', 'let the delay double with each quick failure, up to this');
  for (const kind of ['update', 'rollback'] as const) {
    command
      .option(
        `--${kind}-parallelism <n>`,
        `tasks changed at a time by a${kind === 'update' ? 'n update' : ' rollback'} (0: all)`,
      )
      .option(`--${kind}-delay <duration>`, 'wait between them')
      .option(`--${kind}-monitor <duration>`, 'how long a new task is watched')
      .option(`--${kind}-max-failure-ratio <ratio>`, 'share of failures that is tolerated')
      .addOption(
        new Option(`--${kind}-failure-action <action>`, 'what failures lead to').choices(
          kind === 'update' ? ['pause', 'continue', 'rollback'] : ['pause', 'continue'],
        ),
      )
      .addOption(
        new Option(`--${kind}-order <order>`, 'whether the new task starts before the old one stops').choices([
          'stop-first',
          'start-first',
        ]),
      );
  }
  return addWaitFlags(
    command.option(
      '--update-progress-deadline <duration>',
      'an update that makes no progress for this long has failed',
    ),
  );
}

/** Puts the common flags into a spec that belongs to the caller. */
export function applyCommonFlags(spec: ServiceSpecObject, flags: Flags): void {
  const set = <T>(name: string, parse: (flag: string, text: string) => T, put: (value: T) => void): void => {
    const text = textFlag(flags, name);
    if (text !== undefined) put(parse(flagOf(name), text));
  };
  const container = spec.TaskTemplate.ContainerSpec;
  set('user', same, (v) => (container.User = v));
  set('workdir', same, (v) => (container.Dir = v));
  set('hostname', same, (v) => (container.Hostname = v));
  set('stopSignal', same, (v) => (container.StopSignal = v));
  set('stopGracePeriod', duration, (v) => (container.StopGracePeriod = v));

  const limits = () => ((spec.TaskTemplate.Resources ??= {}).Limits ??= {});
  set('limitCpu', cpus, (v) => (limits().NanoCPUs = v));
  set('limitMemory', bytes, (v) => (limits().MemoryBytes = v));
  set('limitPids', wholeNumber, (v) => (limits().Pids = v));
  const reservations = () => ((spec.TaskTemplate.Resources ??= {}).Reservations ??= {});
  set('reserveCpu', cpus, (v) => (reservations().NanoCPUs = v));
  set('reserveMemory', bytes, (v) => (reservations().MemoryBytes = v));
  set('replicasMaxPerNode', wholeNumber, (v) => ((spec.TaskTemplate.Placement ??= {}).MaxReplicas = v));

  const health = () => (container.Healthcheck ??= {});
  set('healthCmd', same, (v) => (health().Test = ['CMD-SHELL', v]));
  set('healthInterval', duration, (v) => (health().Interval = v));
  set('healthTimeout', duration, (v) => (health().Timeout = v));
  set('healthRetries', wholeNumber, (v) => (health().Retries = v));
  set('healthStartPeriod', duration, (v) => (health().StartPeriod = v));

  const restart = () => (spec.TaskTemplate.RestartPolicy ??= {});
  set('restartCondition', same, (v) => (restart().Condition = v));
  set('restartDelay', duration, (v) => (restart().Delay = v));
  set('restartMaxAttempts', wholeNumber, (v) => (restart().MaxAttempts = v));
  set('restartWindow', duration, (v) => (restart().Window = v));

  const changes = [
    ['update', () => (spec.UpdateConfig ??= {})],
    ['rollback', () => (spec.RollbackConfig ??= {})],
  ] as const satisfies readonly (readonly [string, () => UpdateConfigObject])[];
  for (const [kind, config] of changes) {
    set(`${kind}Parallelism`, wholeNumber, (v) => (config().Parallelism = v));
    set(`${kind}Delay`, duration, (v) => (config().Delay = v));
    set(`${kind}Monitor`, duration, (v) => (config().Monitor = v));
    set(`${kind}MaxFailureRatio`, ratio, (v) => (config().MaxFailureRatio = v));
    set(`${kind}FailureAction`, same, (v) => (config().FailureAction = v));
    set(`${kind}Order`, same, (v) => (config().Order = v));
  }

  for (const [name, { label, parse }] of Object.entries(LABELS)) set(name, parse, (v) => (spec.Labels[label] = v));
  set('replicas', wholeNumber, (v) => setReplicas(spec, v));
  set('maxConcurrent', wholeNumber, (v) => {
    if (!spec.Mode.ReplicatedJob) throw new UsageError('--max-concurrent goes with replicated jobs alone');
    spec.Mode.ReplicatedJob.MaxConcurrent = v;
  });
}

/** The number of tasks of a service, or of completions of a job. */
export function setReplicas(spec: ServiceSpecObject, replicas: number): void {
  if (spec.Mode.ReplicatedJob) spec.Mode.ReplicatedJob.TotalCompletions = replicas;
  else spec.Mode = { Replicated: { Replicas: replicas } };
}

/** "limitCpu" is the flag --limit-cpu. */
const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Adds `--NAME-add` and `--NAME-rm` for a list of the spec. */
export function addListFlags(command: Command, name: string, form: string, what: string): void {
  command
    .option(`--${name}-add <${form}>`, `add ${what}; may be repeated`, collect)
    .option(`--${name}-rm <${form}>`, `remove ${what}; may be repeated`, collect);
}

/** The list after additions and removals; `keyOf` says which entries stand for the same thing. */
export function edited<T>(
  current: readonly T[] | undefined,
  added: readonly T[],
  removed: readonly string[] | undefined,
  keyOf: (item: T) => string,
): T[] {
  const gone = new Set([...(removed ?? []), ...added.map(keyOf)]);
  return [...(current ?? []).filter((item) => !gone.has(keyOf(item))), ...added];
}

export function editedLabels(
  current: Record<string, string> | undefined,
  flags: Flags,
  name: string,
): Record<string, string> {
  const removed = new Set(listFlag(flags, `${name}Rm`));
  return {
    ...Object.fromEntries(Object.entries(current ?? {}).filter(([key]) => !removed.has(key))),
    ...keyValues(`--${name}-add`, listFlag(flags, `${name}Add`) ?? []),
  };
}

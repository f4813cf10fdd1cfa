/**
 * What swarmd offers beyond Docker's service spec travels as labels `swarmd.*` on the service (and, for defaults, on the
 * cluster), so that every Docker client can set it and none is disturbed by it. This is the one place that knows the names.
 */
import { SwarmError } from './errors.ts';
import { parseDurationMs } from './time.ts';

export const STRATEGIES = ['spread', 'binpack', 'random'] as const;
/** How the scheduler chooses among the nodes that fit. */
export type Strategy = (typeof STRATEGIES)[number];

/** Options of a service, as read from its labels; undefined where nothing is said. */
export interface ServiceOptions {
  readonly strategy: Strategy | undefined;
  /** Longest restart delay in ms: the delay doubles from `restart.delay` with every quick failure up to this. */
  readonly restartMaxDelayMs: number | undefined;
  /** An update that makes no progress for this long, in ms, counts as failed. */
  readonly updateProgressDeadlineMs: number | undefined;
}

export const LABEL_STRATEGY = 'swarmd.strategy';
export const LABEL_RESTART_MAX_DELAY = 'swarmd.restart.max-delay';
export const LABEL_UPDATE_PROGRESS_DEADLINE = 'swarmd.update.progress-deadline';

type Labels = Readonly<Record<string, string>>;

/** Reads the options leniently: what cannot be understood counts as not given (labels were checked when they were set). */
export function serviceOptions(labels: Labels | undefined): ServiceOptions {
  const lenient = <T>(parse: () => T): T | undefined => {
    try {
      return parse();
    } catch {
      return undefined;
    }
  };
  return {
    strategy: lenient(() => strategyOf(labels)),
    restartMaxDelayMs: lenient(() => durationOf(labels, LABEL_RESTART_MAX_DELAY)),
    updateProgressDeadlineMs: lenient(() => durationOf(labels, LABEL_UPDATE_PROGRESS_DEADLINE)),
  };
}

/** Throws invalidArgument naming the label, its value and what it may hold. */
export function validateServiceLabels(labels: Labels | undefined): void {
  strategyOf(labels);
  durationOf(labels, LABEL_RESTART_MAX_DELAY);
  durationOf(labels, LABEL_UPDATE_PROGRESS_DEADLINE);
}

function strategyOf(labels: Labels | undefined): Strategy | undefined {
  const value = labels?.[LABEL_STRATEGY];
  if (value === undefined) return undefined;
  const strategy = STRATEGIES.find((s) => s === value);
  if (!strategy)
    throw new SwarmError('invalidArgument', `label ${LABEL_STRATEGY}="${value}": use one of ${STRATEGIES.join(', ')}`);
  return strategy;
}

function durationOf(labels: Labels | undefined, label: string): number | undefined {
  const value = labels?.[label];
  if (value === undefined) return undefined;
  const ms = parseDurationMs(value);
  if (ms <= 0)
    throw new SwarmError('invalidArgument', `label ${label}="${value}": give a duration above zero, for example 30s`);
  return ms;
}

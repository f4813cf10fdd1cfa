/** What `swarmd hollow` takes beside the options it shares with the other commands. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDurationMs } from '../common/time.ts';
import type { HollowPlan, RangeMs } from '../worker/drivers/hollow-driver.ts';

/** Most workers of one process. */
const MAX_NODES = 10_000;

export interface HollowOptions {
  readonly nodes: number;
  readonly plan: HollowPlan;
  /** Prefix of the host names. */
  readonly prefix: string;
  /** Print what became of tasks, as lines of JSON. */
  readonly counts: boolean;
}

export const addHollowOptions = (command: Command): Command =>
  command
    .addOption(new Option('--nodes <n>', 'how many workers').argParser(nodes).default(10))
    .option('--prefix <text>', 'beginning of their host names', 'hollow')
    .addOption(new Option('--start-time <from..to>', 'how long tasks take to start, as in 100ms..2s').argParser(range))
    .addOption(new Option('--run-time <from..to>', 'tasks end with exit code 1 after this').argParser(range))
    .addOption(new Option('--failure-rate <share>', 'share of the tasks that fail to start, 0 to 1').argParser(share))
    .option('--counts', 'print what became of tasks as lines of JSON');

export function readHollowOptions(command: Command): HollowOptions {
  const startMs = command.getOptionValue('startTime') as RangeMs | undefined;
  const runMs = command.getOptionValue('runTime') as RangeMs | undefined;
  const failureRate = command.getOptionValue('failureRate') as number | undefined;
  return {
    nodes: command.getOptionValue('nodes') as number,
    prefix: command.getOptionValue('prefix') as string,
    counts: command.getOptionValue('counts') === true,
    plan: { ...(startMs && { startMs }), ...(runMs && { runMs }), ...(failureRate !== undefined && { failureRate }) },
  };
}

function nodes(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_NODES) return value;
  throw new InvalidArgumentError(`give a whole number from 1 to ${MAX_NODES}; start more processes for more.`);
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('give a number from 0 (none fails) to 1 (all fail).');
}

/** "100ms..2s", or one time for all. */
function range(text: string): RangeMs {
  const [from = '', to = from, ...more] = text.split('..');
  let times: RangeMs | undefined;
  try {
    times = [parseDurationMs(from), parseDurationMs(to)];
  } catch {
    // Said below.
  }
  if (!times || more.length > 0 || times[0] > times[1]) {
    throw new InvalidArgumentError('give a time like 500ms, or the shortest and the longest like 100ms..2s.');
  }
  return times;
}

/** All runtime drivers by name. Each is loaded only when it is asked for: an idle agent carries no runtime it does not use. */
import { systemClock } from '../../common/clock.ts';
import { SwarmError } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import { VERSION } from '../../common/version.ts';
import type { RuntimeDriver } from './driver.ts';

export interface DriverOptions {
  /** Where the driver may keep what it has to know of its tasks. */
  readonly directory: string;
  /** Address of the engine, for drivers that have one, for example `unix:///var/run/docker.sock`. */
  readonly engine?: string | undefined;
  /** Name of the node, as templates of its tasks see it. */
  readonly hostname: string;
  readonly log: Logger;
}

type MakeDriver = (options: DriverOptions) => Promise<RuntimeDriver>;

const DRIVERS: Readonly<Record<string, MakeDriver>> = {
  process: async ({ directory, hostname, log }) => {
    const { ProcessDriver } = await import('./process/process-driver.ts');
    return new ProcessDriver({ directory, hostname, log, engineVersion: VERSION });
  },
  docker: async ({ directory, engine, hostname, log }) => {
    const { DockerDriver } = await import('./docker/docker-driver.ts');
    return DockerDriver.open({ directory, engine: engine ?? 'unix:///var/run/docker.sock', hostname, log });
  },
  scripted: async () => {
    const { ScriptedDriver } = await import('./scripted-driver.ts');
    return new ScriptedDriver({ clock: systemClock, engineVersion: VERSION });
  },
  none: async () => {
    const { NoneDriver } = await import('./none-driver.ts');
    return new NoneDriver(VERSION);
  },
  hollow: async ({ hostname }) => {
    const { HollowDriver } = await import('./hollow-driver.ts');
    return new HollowDriver({ hostname, engineVersion: VERSION });
  },
};

const driverNames = (): readonly string[] => Object.keys(DRIVERS);

/** Throws invalidArgument for an unknown name, and whatever the driver says when this machine cannot run it. */
export async function createDriver(name: string, options: DriverOptions): Promise<RuntimeDriver> {
  const make = Object.hasOwn(DRIVERS, name) ? DRIVERS[name] : undefined;
  if (!make) {
    throw new SwarmError('invalidArgument', `runtime "${name}" is not known: use one of ${driverNames().join(', ')}`);
  }
  return make(options);
}

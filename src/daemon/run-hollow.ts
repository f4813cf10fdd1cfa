/** `swarmd hollow`: many pretend workers in one process, each with its own certificate, session and streams. */
import { systemClock } from '../common/clock.ts';
import { errorText, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { systemRandom } from '../common/random.ts';
import { VERSION } from '../common/version.ts';
import { enrollWithToken } from '../identity/enroll.ts';
import { NodeIdentity } from '../identity/node-identity.ts';
import { NodeSpec_Availability } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import { Agent } from '../worker/agent.ts';
import { HollowDriver } from '../worker/drivers/hollow-driver.ts';
import { withDefaultPort } from './addresses.ts';
import { tlsConnector } from './manager-connector.ts';
import type { DaemonOptions } from './options.ts';

/** Joins under way at a time; each costs key generation and three connections. */
const JOINS_AT_ONCE = 8;
/** Most workers of one process. */
const MAX_NODES = 10_000;

export interface Hollow {
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export async function runHollow(settings: DaemonOptions, nodes: number, log: Logger): Promise<Hollow> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) {
    throw new SwarmError('invalidArgument', `--nodes: give a whole number from 1 to ${MAX_NODES}`);
  }
  if (settings.join.length === 0 || !settings.token) {
    throw new SwarmError(
      'invalidArgument',
      '--join and --token: name a manager of the swarm and give its worker token',
    );
  }
  const managers = settings.join.map((address) => withDefaultPort(address));
  const token = settings.token;
  const abort = new AbortController();
  const running: Promise<void>[] = [];
  let next = 0;
  const joinSome = async (): Promise<void> => {
    while (next < nodes && !abort.signal.aborted) {
      const number = ++next;
      running.push((await startOne(number, managers, token, log, abort.signal)).done);
      if (number % 50 === 0 || number === nodes) process.stderr.write(`${number} of ${nodes} hollow workers joined\n`);
    }
  };
  try {
    await Promise.all(Array.from({ length: JOINS_AT_ONCE }, joinSome));
  } catch (error) {
    abort.abort();
    await Promise.allSettled(running);
    throw error;
  }
  return {
    failed: new Promise<Error>(() => undefined),
    stop: async () => {
      abort.abort();
      await Promise.allSettled(running);
    },
  };
}

async function startOne(
  number: number,
  managers: readonly string[],
  token: string,
  log: Logger,
  signal: AbortSignal,
): Promise<{ readonly done: Promise<void> }> {
  const enrolled = await enrollWithToken(
    managers,
    { token, availability: NodeSpec_Availability.ACTIVE },
    {
      clock: systemClock,
      log,
      signal,
    },
  );
  const identity = NodeIdentity.inMemory(enrolled.rootBundle, enrolled);
  const agent = new Agent({
    nodeId: identity.current.nodeId,
    stateDir: undefined,
    driver: new HollowDriver({ hostname: `hollow-${number}`, engineVersion: VERSION }),
    connector: tlsConnector(identity),
    managers,
    log,
    random: systemRandom,
  });
  const done = agent.run(signal);
  done.catch((error: unknown) => log.error({ worker: number, error: errorText(error) }, 'a hollow worker ended'));
  return { done };
}

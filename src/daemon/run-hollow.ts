/**
 * `swarmd hollow`: many pretend workers in one process. Each has its own node id, certificate, connection, session and
 * streams, as on machines of their own; they share one private key and the connection that certificates are asked over.
 */
import { systemClock } from '../common/clock.ts';
import { errorText, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { systemRandom } from '../common/random.ts';
import { VERSION } from '../common/version.ts';
import { BulkEnrollment } from '../identity/enroll.ts';
import { NodeIdentity } from '../identity/node-identity.ts';
import { NodeSpec_Availability } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import { Agent } from '../worker/agent.ts';
import { HollowCounts, HollowDriver } from '../worker/drivers/hollow-driver.ts';
import { withDefaultPort } from './addresses.ts';
import { tlsConnector } from './manager-connector.ts';
import type { HollowOptions } from './options.ts';

/** Joins under way at a time; with more, sessions of nodes that joined time out while others join. */
const JOINS_AT_ONCE = 8;
/** Counts are printed this often when they changed, in ms. */
const COUNTS_INTERVAL_MS = 20;

export interface Hollow {
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export async function runHollow(options: HollowOptions, log: Logger): Promise<Hollow> {
  const { startMs, runMs, failureRate } = options;
  if (options.join.length === 0 || !options.token) {
    throw new SwarmError(
      'invalidArgument',
      '--join and --token: name a manager of the swarm and give its worker token',
    );
  }
  const managers = options.join.map((address) => withDefaultPort(address));
  const abort = new AbortController();
  const { signal } = abort;
  const admission = { token: options.token, availability: NodeSpec_Availability.ACTIVE };
  const enrollment = new BulkEnrollment(managers, admission, { clock: systemClock, log, signal });
  const plan = {
    ...(startMs && { startMs }),
    ...(runMs && { runMs }),
    ...(failureRate !== undefined && { failureRate }),
  };
  const counts = new HollowCounts();
  const stopPrinting = options.counts ? printCounts(counts) : undefined;
  const running: Promise<void>[] = [];
  let next = 0;
  const joinSome = async (): Promise<void> => {
    while (next < options.nodes && !signal.aborted) {
      const number = ++next;
      const enrolled = await enrollment.enroll();
      const identity = NodeIdentity.inMemory(enrolled.rootBundle, enrolled);
      const hostname = `${options.prefix}-${number}`;
      const agent = new Agent({
        nodeId: identity.current.nodeId,
        stateDir: undefined,
        driver: new HollowDriver({ hostname, engineVersion: VERSION, plan, counts }),
        connector: tlsConnector(identity),
        managers,
        log,
        random: systemRandom,
      });
      // Its tasks end with this process, so nobody need wait for it to come back.
      agent.leave();
      const ended = (error: unknown): void => log.error({ hostname, error: errorText(error) }, 'a hollow worker ended');
      running.push(agent.run(signal).catch(ended));
      if (number % 50 === 0 || number === options.nodes) {
        process.stderr.write(`${number} of ${options.nodes} hollow workers joined\n`);
      }
    }
  };
  const stop = async (): Promise<void> => {
    abort.abort();
    await Promise.all(running);
    stopPrinting?.();
  };
  try {
    await Promise.all(Array.from({ length: Math.min(JOINS_AT_ONCE, options.nodes) }, joinSome));
  } catch (error) {
    await stop();
    throw error;
  } finally {
    enrollment.close();
  }
  return { failed: new Promise<Error>(() => undefined), stop };
}

/** One line per change, each with all counts; returns how to end it. */
function printCounts(counts: HollowCounts): () => void {
  let printed = '';
  const print = (): void => {
    const line = JSON.stringify(counts);
    if (line === printed) return;
    printed = line;
    process.stdout.write(`${line}\n`);
  };
  const timer = setInterval(print, COUNTS_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    print();
  };
}

/**
 * `swarmd hollow`: many pretend workers in one process. Each has its own node id, certificate, connection, session and
 * streams, as on machines of their own; they share one private key and the connection that certificates are asked over.
 */
import { setMaxListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { systemClock } from '../common/clock.ts';
import { errorText, isSwarmError, SwarmError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { systemRandom } from '../common/random.ts';
import { VERSION } from '../common/version.ts';
import { BulkEnrollment, type Enrollment } from '../identity/enroll.ts';
import { NodeIdentity } from '../identity/node-identity.ts';
import { NodeSpec_Availability } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import { Agent } from '../worker/agent.ts';
import { HollowCounts, HollowDriver } from '../worker/drivers/hollow-driver.ts';
import { withDefaultPort } from './addresses.ts';
import { hollowConnector } from './hollow-connector.ts';
import type { HollowOptions } from './options.ts';

/** Joins under way at a time; with more, sessions of nodes that joined time out while others join. */
const JOINS_AT_ONCE = 8;
/** Counts are printed this often when they changed, in ms. */
const COUNTS_INTERVAL_MS = 20;
/** How often to look whether tasks come or go, in ms. */
const WORK_INTERVAL_MS = 1_000;

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
  // What counts here is how many workers fit into a machine: a few bytes that a connection keeps do not keep 8 KiB of others with them.
  Buffer.poolSize = 512;
  const abort = new AbortController();
  const { signal } = abort;
  // Every worker listens for the end.
  setMaxListeners(0, signal);
  const admission = { token: options.token, availability: NodeSpec_Availability.ACTIVE };
  const enrollment = new BulkEnrollment(managers, admission, { clock: systemClock, log, signal });
  const plan = {
    ...(startMs && { startMs }),
    ...(runMs && { runMs }),
    ...(failureRate !== undefined && { failureRate }),
  };
  const counts = new HollowCounts();
  const stopFollowing = roomForYoungObjects(counts);
  const agents: Agent[] = [];
  const stopPrinting = options.counts ? printCounts(counts, agents) : undefined;
  const running: Promise<void>[] = [];
  let next = 0;
  const enroll = async (): Promise<Enrollment> => {
    for (;;) {
      try {
        return await enrollment.enroll();
      } catch (error) {
        // Where some have joined others can: the managers have much to do with those.
        if (agents.length === 0 || !isSwarmError(error, 'unavailable') || signal.aborted) throw error;
        log.warn({ joined: agents.length, error: error.message }, 'a hollow worker could not join yet; trying again');
      }
    }
  };
  const joinSome = async (): Promise<void> => {
    while (next < options.nodes && !signal.aborted) {
      const number = ++next;
      const enrolled = await enroll();
      const identity = NodeIdentity.inMemory(enrolled.rootBundle, enrolled);
      const hostname = `${options.prefix}-${number}`;
      const agent = new Agent({
        nodeId: identity.current.nodeId,
        stateDir: undefined,
        driver: new HollowDriver({ hostname, engineVersion: VERSION, plan, counts }),
        connector: hollowConnector(identity.current),
        managers,
        log,
        random: systemRandom,
      });
      // Its tasks end with this process, so nobody need wait for it to come back.
      agent.leave();
      agents.push(agent);
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
    stopFollowing();
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

/** One line per change, each with all counts and how many workers are in session; returns how to end it. */
function printCounts(counts: HollowCounts, agents: readonly Agent[]): () => void {
  let printed = '';
  const print = (): void => {
    const connected = agents.reduce((sum, agent) => sum + Number(agent.isConnected), 0);
    const line = JSON.stringify(Object.assign({ connected }, counts));
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

/**
 * Room for young objects stays as small as it starts, but for when tasks come and go: with 2 MB a fifth of the time went into collecting
 * them then. V8 takes the room back in a collection when little happens. Returns how to end it.
 */
function roomForYoungObjects(counts: HollowCounts): () => void {
  const tasksSoFar = (): number => counts.assigned + counts.ended + counts.removed;
  const mayGrow = (does: boolean): void => setFlagsFromString(`--semi-space-growth-factor=${does ? 2 : 1}`);
  mayGrow(false);
  let seen = tasksSoFar();
  const timer = setInterval(() => {
    const now = tasksSoFar();
    mayGrow(now !== seen);
    seen = now;
  }, WORK_INTERVAL_MS);
  return () => clearInterval(timer);
}

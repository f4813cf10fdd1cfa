/** One trial: a swarm, a load, and a fault in each round, with everything looked at in between. */
import { whyNotLinearizable } from 'raft-ts/testing';
import { seededRandom, shuffled, type Random } from '../../src/common/random.ts';
import { Arena } from './arena.ts';
import { Clients } from './clients.ts';
import { FAULTS, type Fault } from './faults.ts';
import { currentCommit, type Run } from './record.ts';

export interface TrialOptions {
  readonly managers: number;
  readonly seed: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Faults with this in their name only. */
  readonly only: string;
  readonly say: (line: string) => void;
  /** Begin no further round once it is aborted. */
  readonly signal: AbortSignal;
}

export async function runTrial({ managers, seed, rounds, seconds, only, say, signal }: TrialOptions): Promise<Run> {
  const startedMs = performance.now();
  const arena = await Arena.start(managers);
  const clients = new Clients(() => arena.managers.map(({ daemon }) => daemon), seededRandom(seed + 1));
  const struck: Record<string, number> = {};
  const violations: string[] = [];
  let tasksChecked = 0;
  let repairs = 0;
  try {
    await clients.prepare();
    const tasks = await arena.tasks();
    const faults = endlessly(
      FAULTS.filter(({ name, least = 0 }) => name.includes(only) && least <= managers),
      seededRandom(seed),
    );
    const random = seededRandom(seed + 2);
    for (let round = 1; round <= rounds && violations.length === 0; round++) {
      if (signal.aborted || performance.now() - startedMs > seconds * 1000) break;
      const fault = faults();
      const beganMs = performance.now();
      const repairedBefore = repaired(arena);
      clients.resume();
      const what = await fault.strike(arena, random);
      await arena.mend();
      const struckMs = performance.now();
      await clients.halt();
      await arena.settled();
      violations.push(...(await violationsOf(arena, clients, tasks)));
      tasksChecked += tasks.length;
      repairs += Math.max(0, repaired(arena) - repairedBefore);
      struck[fault.name] = (struck[fault.name] ?? 0) + 1;
      const [all, after] = [performance.now() - beganMs, performance.now() - struckMs].map((ms) =>
        (ms / 1000).toFixed(1),
      );
      say(`${round}. ${fault.name} (${what}): ${all} s, ${after} s of it until all was well`);
    }
  } catch (error) {
    violations.push(`did not come back: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await clients.halt();
    if (violations.length > 0) say(logsOf(arena));
    await arena.close();
  }
  return {
    seed,
    managers,
    commit: currentCommit(),
    measuredAt: new Date().toISOString(),
    seconds: Math.round((performance.now() - startedMs) / 1000),
    rounds: struck,
    tally: clients.tally,
    tasksChecked,
    repairs,
    violations,
  };
}

async function violationsOf(arena: Arena, clients: Clients, tasks: readonly string[]): Promise<readonly string[]> {
  const found = [...clients.wrong];
  const configs = await arena.first.daemon.ask<readonly { Spec: { Name: string } }[]>('GET', '/configs');
  const names = new Set(configs.map(({ Spec }) => Spec.Name));
  const lost = clients.created.filter((name) => !names.has(name));
  if (lost.length > 0) found.push(`acknowledged and lost: ${lost.slice(0, 5).join(', ')} (${lost.length})`);
  const reason = whyNotLinearizable(clients.history);
  if (reason !== undefined) {
    const refusal = clients.refusals.get(Number(/value (\d+)/.exec(reason)?.[1]));
    found.push(`not linearizable: ${reason}${refusal === undefined ? '' : `; its write was answered ${refusal}`}`);
  }
  const now = await arena.tasks();
  if (now.join() !== tasks.join()) found.push(`tasks were ${tasks.join(', ')} and are ${now.join(', ')}`);
  return found;
}

/** All of them in random order, again and again: none is left out for long. */
function endlessly(faults: readonly Fault[], random: Random): () => Fault {
  let left: readonly Fault[] = [];
  return () => {
    if (left.length === 0) left = shuffled(faults, random);
    const [next, ...others] = left as [Fault, ...Fault[]];
    left = others;
    return next;
  };
}

function repaired(arena: Arena): number {
  return arena.managers.reduce((total, host) => total + host.timesRepaired, 0);
}

function logsOf(arena: Arena): string {
  return arena.managers.map(({ name, daemon }) => `--- ${name}\n${daemon.log.slice(-6_000)}`).join('\n');
}

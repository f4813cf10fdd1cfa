/**
 * Daemons are killed and frozen at random while services come, change and go; at the end everything must be as if nothing
 * had happened. `CHAOS_SEED` repeats a run, `CHAOS_ROUNDS` lengthens it.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/common/random.ts';
import { aService, TestCluster, type ApiTask, type SwarmStatusBody, type TestDaemon } from '../support/cluster.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? Math.trunc(performance.timeOrigin) % 1_000_000);
const ROUNDS = Number(process.env['CHAOS_ROUNDS'] ?? 12);
const FREEZE_MS = 1_500;
const CALL_MS = 3_000;
const settled = { timeout: 60_000, interval: 250 };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface ServiceBody {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: ReturnType<typeof aService>;
}

describe(`three managers and two workers in disorder (seed ${SEED}, ${ROUNDS} rounds)`, () => {
  let cluster: TestCluster;
  const random = seededRandom(SEED);
  const below = (n: number): number => Math.trunc(random() * n);
  const oneOf = <T>(items: readonly T[]): T => items[below(items.length)] as T;

  /** What was acknowledged: names of services with their replicas, and of configs. */
  const services = new Map<string, number>();
  /** Their last change was not acknowledged, so it may or may not have been made. */
  const unsure = new Set<string>();
  const configs: string[] = [];
  let made = 0;

  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 3, workers: 2, managerRuntime: 'none' });
  });
  afterAll(() => cluster.close());

  /** Resolves with the status, or 0 without an answer. */
  const tell = async (method: string, path: string, body?: unknown): Promise<number> =>
    (
      await oneOf(cluster.managers)
        .call(method, path, body, CALL_MS)
        .catch(() => undefined)
    )?.status ?? 0;

  const create = async (): Promise<void> => {
    const name = `service-${made++}`;
    const replicas = 1 + below(4);
    if ((await tell('POST', '/services/create', aService(name, replicas))) === 201) services.set(name, replicas);
    else unsure.add(name);
  };
  const scale = async (): Promise<void> => {
    const name = oneOf([...services.keys()]);
    const found = await oneOf(cluster.managers)
      .call<ServiceBody>('GET', `/services/${name}`, undefined, CALL_MS)
      .catch(() => undefined);
    if (found?.status !== 200) return;
    const { Spec, Version } = found.body;
    const replicas = below(5);
    const changed = { ...Spec, Mode: { Replicated: { Replicas: replicas } } };
    if ((await tell('POST', `/services/${name}/update?version=${Version.Index}`, changed)) === 200)
      services.set(name, replicas);
    else forget(name);
  };
  const remove = async (): Promise<void> => {
    const name = oneOf([...services.keys()]);
    if ((await tell('DELETE', `/services/${name}`)) === 200) services.delete(name);
    else forget(name);
  };
  const configure = async (): Promise<void> => {
    const name = `config-${made++}`;
    if ((await tell('POST', '/configs/create', { Name: name, Data: 'eA==' })) === 201) configs.push(name);
  };
  const forget = (name: string): void => {
    services.delete(name);
    unsure.add(name);
  };
  const change = async (): Promise<void> => {
    const deeds = services.size < 2 ? [create] : [create, scale, scale, remove, configure];
    await oneOf(deeds)();
    await configure();
  };

  const killed = async (daemon: TestDaemon): Promise<string> => {
    await daemon.kill();
    await change();
    await daemon.start();
    return `${daemon.name} killed`;
  };
  const frozen = async (daemon: TestDaemon): Promise<string> => {
    daemon.signal('SIGSTOP');
    await Promise.all([change(), pause(FREEZE_MS)]);
    daemon.signal('SIGCONT');
    return `${daemon.name} frozen`;
  };

  it('goes on through kills and freezes', async () => {
    const story: string[] = [];
    try {
      await create();
      for (let round = 0; round < ROUNDS; round++) {
        story.push(await oneOf([killed, frozen])(oneOf(cluster.all)));
        await change();
        await pause(below(400));
      }
    } finally {
      console.log(`CHAOS_SEED=${SEED}: ${story.join(', ')}`);
    }
  });

  it('has one leader and the same state on all managers', async () => {
    await expect
      .poll(async () => {
        const states = await Promise.all(
          cluster.managers.map((m) => m.call<SwarmStatusBody>('GET', '/swarmd/status', undefined, CALL_MS)),
        );
        return {
          leaders: states.filter((s) => s.body.isLeader).length,
          states: new Set(states.map((s) => `${s.body.appliedIndex} ${s.body.stateHash}`)).size,
        };
      }, settled)
      .toEqual({ leaders: 1, states: 1 });
    await expect
      .poll(async () => (await cluster.nodes()).filter((n) => n.Status.State !== 'ready').length, settled)
      .toBe(0);
  });

  it('lost no acknowledged write', async () => {
    const [storedConfigs, storedServices] = await Promise.all([
      cluster.first.ask<readonly { Spec: { Name: string } }[]>('GET', '/configs'),
      cluster.first.ask<readonly ServiceBody[]>('GET', '/services'),
    ]);
    const names = storedConfigs.map((c) => c.Spec.Name);
    expect(configs.filter((name) => !names.includes(name))).toEqual([]);
    const sure = storedServices.filter((s) => !unsure.has(s.Spec.Name));
    expect(Object.fromEntries(sure.map((s) => [s.Spec.Name, s.Spec.Mode.Replicated.Replicas]))).toEqual(
      Object.fromEntries(services),
    );
  });

  it('runs every replica once, in a slot of its own, and no process else', async () => {
    await expect
      .poll(async () => {
        const [all, tasks] = await Promise.all([
          cluster.first.ask<readonly ServiceBody[]>('GET', '/services'),
          cluster.first.ask<readonly ApiTask[]>('GET', '/tasks'),
        ]);
        const running = tasks.filter((t) => t.DesiredState === 'running' && t.Status.State === 'running');
        const faults = all.flatMap(({ ID, Spec }) => {
          const slots = running.filter((t) => t.ServiceID === ID).map((t) => t.Slot);
          const wanted = Spec.Mode.Replicated.Replicas;
          return slots.length === wanted && new Set(slots).size === wanted
            ? []
            : [`${Spec.Name} wants ${wanted} and runs slots ${slots.join(' ')}`];
        });
        const pids = running.map((t) => t.Status.ContainerStatus?.PID ?? 0);
        const sleepers = sleepersOf(cluster);
        return {
          faults,
          strayed: sleepers.filter((pid) => !pids.includes(pid)),
          missing: pids.filter((pid) => !sleepers.includes(pid)),
        };
      }, settled)
      .toEqual({ faults: [], strayed: [], missing: [] });
  });
});

/** Processes that sleep in the cluster's folder: those are its tasks. */
function sleepersOf({ directory }: TestCluster): readonly number[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1);
  return pids.filter((pid) => {
    try {
      return (
        readlinkSync(`/proc/${pid}/cwd`).startsWith(directory) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep')
      );
    } catch {
      return false;
    }
  });
}

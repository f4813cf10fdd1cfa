/**
 * The contract of a runtime driver as tests. Each driver's test file calls this with the abilities the driver declares, and
 * a rig that says how its tasks are made; what asks for an ability it does not have (a pretend runtime prints nothing) is
 * no part of its contract.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config, Secret, Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type {
  Ability,
  ExitStatus,
  LogLine,
  LogOptions,
  RuntimeDriver,
  TaskController,
  TaskDependencies,
} from '../../src/worker/drivers/driver.ts';

/** How a task of a compliance test is to behave. */
export interface Behaviour {
  /** Ends by itself after this long, in ms; undefined to run until stopped. */
  readonly runMs?: number;
  readonly exitCode?: number;
  /** Printed to stdout at the start, once `ignoresStop` is in force. */
  readonly prints?: readonly string[];
  /** Takes no notice of its stop signal; its grace period is 300 ms. */
  readonly ignoresStop?: boolean;
  /** Never gets healthy. */
  readonly isUnhealthy?: boolean;
}

export interface DriverRig {
  /** A driver over the same surroundings as the one before: a second one plays an agent that was restarted. */
  open(): Promise<RuntimeDriver> | RuntimeDriver;
  task(id: string, behaviour: Behaviour): Task;
  /** A task this driver can never run; for those that refuse tasks. */
  readonly foreignTask?: Task;
  /** Lets time go by for drivers with a clock of their own. */
  advance?(ms: number): Promise<void>;
  /** Removes all traces of the test. */
  close(): Promise<void>;
}

const NOTHING: TaskDependencies = { secrets: new Map<string, Secret>(), configs: new Map<string, Config>() };
const ALL_LOGS: LogOptions = { stdout: true, stderr: true, follow: false, tail: undefined, sinceMs: 0 };
const never = new AbortController().signal;

/** @param abilities what the driver's class declares, since the cases are chosen before there is a driver */
export function describeDriver(
  name: string,
  abilities: readonly Ability[],
  makeRig: () => Promise<DriverRig> | DriverRig,
): void {
  describe(`the ${name} driver`, () => {
    let rig: DriverRig;
    let driver: RuntimeDriver;
    const controllers: TaskController[] = [];

    const controllerOf = (id: string, behaviour: Behaviour = {}, by = driver): TaskController => {
      const controller = by.controller(rig.task(id, behaviour), NOTHING);
      controllers.push(controller);
      return controller;
    };
    const started = async (id: string, behaviour: Behaviour = {}): Promise<TaskController> => {
      const controller = controllerOf(id, behaviour);
      await controller.prepare(never);
      await controller.start(never);
      return controller;
    };
    const afterTime = async <T>(promise: Promise<T>, ms: number): Promise<T> => {
      // It may fail before anybody waits for it.
      promise.catch(() => undefined);
      await rig.advance?.(ms);
      return promise;
    };
    /** A case for drivers that can do something not every driver can. */
    const itCan = (needed: Ability | readonly Ability[], sentence: string, body: () => Promise<void>): void => {
      if ([needed].flat().every((ability) => abilities.includes(ability))) it(sentence, body);
    };
    const itCannot = (ability: Ability, sentence: string, body: () => Promise<void>): void => {
      if (!abilities.includes(ability)) it(sentence, body);
    };

    beforeEach(async () => {
      rig = await makeRig();
      driver = await rig.open();
    });

    afterEach(async () => {
      for (const controller of controllers.splice(0)) await controller.remove(never).catch(() => undefined);
      await driver.close();
      await rig.close();
    });

    it('says of itself what it can do', () => {
      expect(driver.name).toBe(name);
      expect(driver.abilities).toEqual(abilities);
    });

    it('describes the node: platform, resources and the runtime as a plugin', async () => {
      const description = await driver.describe();
      expect(description.hostname).not.toBe('');
      expect(description.platform?.os).toBe('linux');
      expect(description.resources?.nanoCpus).toBeGreaterThan(0);
      expect(description.resources?.memoryBytes).toBeGreaterThan(0);
      expect(description.engine?.engineVersion).not.toBe('');
      expect(description.engine?.plugins).toContainEqual({ type: 'Runtime', name: driver.name });
    });

    it('knows nothing of a task before it is prepared', async () => {
      expect(await controllerOf('c1').status()).toBeUndefined();
    });

    it('prepares without running', async () => {
      const controller = controllerOf('c1');
      await controller.prepare(never);
      expect(await controller.status()).toMatchObject({ pid: 0 });
    });

    it('gives a running task a container id and a process id', async () => {
      const status = await (await started('c1')).status();
      expect(status?.containerId).not.toBe('');
      expect(status?.pid).toBeGreaterThan(0);
    });

    it('takes repeated prepare and start as done', async () => {
      const controller = await started('c1');
      const before = await controller.status();
      await controller.prepare(never);
      await controller.start(never);
      expect(await controller.status()).toEqual(before);
    });

    itCan('ends by itself', 'reports an end with exit code 0', async () => {
      const controller = await started('c1', { runMs: 50 });
      expect(await afterTime(controller.wait(never), 50)).toEqual({ exitCode: 0, reason: '' });
    });

    itCan('ends by itself', 'reports the exit code of a failure, as often as it is asked', async () => {
      const controller = await started('c1', { runMs: 50, exitCode: 42 });
      expect(await afterTime(controller.wait(never), 50)).toEqual({ exitCode: 42, reason: '' });
      expect(await controller.wait(never)).toEqual({ exitCode: 42, reason: '' });
    });

    itCan('ends by itself', 'takes start of a task that has ended as done, without running it again', async () => {
      const controller = await started('c1', { runMs: 20, exitCode: 3 });
      await afterTime(controller.wait(never), 20);
      await controller.start(never);
      expect(await controller.wait(never)).toEqual({ exitCode: 3, reason: '' });
    });

    itCan('ends by itself', 'runs an ended task once more when asked to', async () => {
      const controller = await started('c1', { runMs: 200, exitCode: 3 });
      await afterTime(controller.wait(never), 200);
      await controller.restart(never);
      expect((await controller.status())?.pid).toBeGreaterThan(0);
      expect(await afterTime(controller.wait(never), 200)).toEqual({ exitCode: 3, reason: '' });
    });

    it('stops waiting when told so, without touching the task', async () => {
      const controller = await started('c1');
      const abort = new AbortController();
      const waiting = controller.wait(abort.signal);
      abort.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow();
      expect((await controller.status())?.pid).toBeGreaterThan(0);
    });

    it('stops a task; who waited learns of it', async () => {
      const controller = await started('c1');
      const waiting = controller.wait(never);
      await controller.stop(never);
      const exit: ExitStatus = await waiting;
      expect(exit.exitCode).toBe(143);
      expect(await controller.status()).toMatchObject({ pid: 0 });
    });

    it('takes repeated stop, and stop of a task that never ran, as done', async () => {
      const controller = await started('c1');
      await controller.stop(never);
      await controller.stop(never);
      await controllerOf('c2').stop(never);
      const prepared = controllerOf('c3');
      await prepared.prepare(never);
      await prepared.stop(never);
    });

    itCan('stop signal', 'kills a task that takes no notice of its stop signal', async () => {
      const controller = await started('c1', { ignoresStop: true, prints: ['ready'] });
      await expect.poll(() => texts(controller.logs(ALL_LOGS, never)), { timeout: 5000 }).toEqual(['ready']);
      const waiting = controller.wait(never);
      await controller.stop(never);
      expect((await waiting).exitCode).toBe(137);
    });

    it('removes every trace, also of a running task, and takes repeating it as done', async () => {
      const controller = await started('c1');
      await controller.remove(never);
      expect(await controller.status()).toBeUndefined();
      expect(await driver.leftovers()).toEqual([]);
      await controller.remove(never);
    });

    itCan('logs', 'keeps what the task printed', async () => {
      const controller = await started('c1', { runMs: 50, prints: ['one', 'two', 'three'] });
      await afterTime(controller.wait(never), 50);
      expect(await texts(controller.logs(ALL_LOGS, never))).toEqual(['one', 'two', 'three']);
      expect(await texts(controller.logs({ ...ALL_LOGS, tail: 2 }, never))).toEqual(['two', 'three']);
      expect(await texts(controller.logs({ ...ALL_LOGS, tail: 0 }, never))).toEqual([]);
      expect(await texts(controller.logs({ ...ALL_LOGS, stdout: false }, never))).toEqual([]);
    });

    itCan('logs', 'follows the log of a running task until it ends', async () => {
      const controller = await started('c1', { runMs: 200, prints: ['one'] });
      const followed = texts(controller.logs({ ...ALL_LOGS, follow: true }, never));
      await afterTime(controller.wait(never), 200);
      expect(await followed).toEqual(['one']);
    });

    itCan('logs', 'follows the log of a task from before it begins', async () => {
      const controller = controllerOf('c1', { runMs: 200, prints: ['one'] });
      await controller.prepare(never);
      const followed = texts(controller.logs({ ...ALL_LOGS, follow: true }, never));
      await controller.start(never);
      await afterTime(controller.wait(never), 200);
      expect(await followed).toEqual(['one']);
    });

    itCan('health', 'fails the start of a task that never gets healthy', async () => {
      const controller = controllerOf('c1', { isUnhealthy: true });
      await controller.prepare(never);
      await expect(afterTime(controller.start(never), 1000)).rejects.toThrow('unhealthy container');
      expect((await controller.status())?.pid).toBe(0);
    });

    itCan('stats', 'says what a running task uses', async () => {
      const use = await (await started('c1')).stats();
      expect(use?.memoryBytes).toBeGreaterThan(0);
      expect(use?.pids).toBeGreaterThan(0);
    });

    itCannot('logs', 'has no log lines to show', async () => {
      const controller = await started('c1', { prints: ['one'] });
      expect(await texts(controller.logs(ALL_LOGS, never))).toEqual([]);
    });

    itCannot('stats', 'says nothing of what a task uses', async () => {
      expect(await (await started('c1')).stats()).toBeUndefined();
    });

    itCan('survives the driver', 'leaves tasks running when it lets go, and a later driver finds them', async () => {
      const controller = await started('c1');
      const before = await controller.status();
      controller.detach();
      await driver.close();
      driver = await rig.open();
      expect(await driver.leftovers()).toEqual([{ taskId: 'c1', isRunning: true }]);
      const again = controllerOf('c1');
      await again.prepare(never);
      await again.start(never);
      expect(await again.status()).toEqual(before);
      await again.stop(never);
      expect((await again.wait(never)).exitCode).toBe(143);
    });

    itCan(
      ['survives the driver', 'ends by itself'],
      'reports the end of a task that ended while nobody watched',
      async () => {
        const controller = await started('c1', { runMs: 200, exitCode: 9 });
        controller.detach();
        await driver.close();
        await rig.advance?.(200);
        driver = await rig.open();
        expect(await controllerOf('c1', { runMs: 200, exitCode: 9 }).wait(never)).toEqual({ exitCode: 9, reason: '' });
      },
    );

    it('stops and removes what is left of a task that is not wanted any more', async () => {
      await started('c1');
      await driver.removeLeftover('c1');
      expect(await driver.leftovers()).toEqual([]);
      await driver.removeLeftover('c1');
    });

    itCan('refuses tasks', 'refuses a task it can never run, and says why', async () => {
      const { foreignTask } = rig;
      if (!foreignTask) throw new Error('the rig has no task that this driver cannot run');
      expect(() => driver.controller(foreignTask, NOTHING)).toThrow(/cannot run|refuse/);
    });
  });
}

async function texts(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const result: string[] = [];
  for await (const line of lines) result.push(Buffer.from(line.data).toString());
  return result;
}

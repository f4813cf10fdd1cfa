/** Managers that are lost or restarted while engines run tasks: no container is touched. */
import { describe, expect, it } from 'vitest';
import type { EngineLab } from '../../support/engine-lab.ts';
import { within } from './within.ts';

export function describeManagerFailures(lab: () => EngineLab): void {
  const snapshot = async (): Promise<readonly string[]> =>
    (await lab().containers('steady')).map(({ id, startedAt }) => `${id} ${startedAt}`);
  const steadyTasks = async (): Promise<readonly string[]> =>
    (await lab().running('steady')).map(({ ID }) => ID).toSorted();
  const nodeStates = async (): Promise<string> =>
    lab().docker('node', 'ls', '--filter', 'role=worker', '--format', '{{.Status}}');

  /** Only an agent with a session can run this and have its log read. */
  async function runSomething(name: string): Promise<void> {
    await lab().create(
      name,
      ['--mode', 'global', '--constraint', 'node.role==worker'],
      'echo here; trap "exit 0" TERM; sleep 1000 & wait',
    );
    await expect.poll(async () => (await lab().running(name)).length, within).toBe(2);
    await expect.poll(() => lab().docker('service', 'logs', '--raw', name).catch(String), within).toBe('here\nhere');
    await lab().docker('service', 'rm', name);
  }

  describe('outlive their managers', () => {
    it('go on when the leader is killed', async () => {
      await lab().create('steady', ['--replicas', '4']);
      await expect.poll(async () => (await lab().running('steady')).length, within).toBe(4);
      const [containers, tasks] = [await snapshot(), await steadyTasks()];
      const leader = await lab().leader();
      await leader!.kill();
      await expect.poll(async () => (await lab().leader()) !== undefined, within).toBe(true);
      await runSomething('after-failover');
      expect(await steadyTasks()).toEqual(tasks);
      expect(await snapshot()).toEqual(containers);
      await leader!.start();
    });

    it('go on when all managers are killed and started again', async () => {
      const [containers, tasks] = [await snapshot(), await steadyTasks()];
      await Promise.all(lab().managers.map((manager) => manager.kill()));
      await Promise.all(lab().managers.map((manager) => manager.start()));
      await expect.poll(nodeStates, within).toBe('Ready\nReady');
      await runSomething('after-restart');
      expect(await steadyTasks()).toEqual(tasks);
      expect(await snapshot()).toEqual(containers);
      await lab().docker('service', 'rm', 'steady');
    });
  });
}

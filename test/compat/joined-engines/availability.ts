/** Engines that are drained, paused, that leave, come back and are removed. */
import { describe, expect, it } from 'vitest';
import type { EngineLab } from '../../support/engine-lab.ts';
import { within } from './within.ts';

export function describeAvailability(lab: () => EngineLab): void {
  describe('come and go', () => {
    it('keep, refuse and give up tasks as their availability says', async () => {
      const [one, two] = lab().engines;
      const [first, second] = [await lab().nodeIdOf(one!), await lab().nodeIdOf(two!)];
      const set = (availability: string, id: string): Promise<string> =>
        lab().docker('node', 'update', '--availability', availability, id);
      const placed = async (): Promise<readonly string[]> =>
        (await lab().running('spread')).map(({ NodeID = '' }) => NodeID).toSorted();
      await lab().create('spread', ['--replicas', '2']);
      await expect.poll(placed, within).toEqual([first, second].toSorted());
      await set('pause', first);
      await lab().docker('service', 'scale', '--detach', 'spread=4');
      await expect.poll(placed, within).toEqual([first, second, second, second].toSorted());
      await set('drain', first);
      await expect.poll(placed, within).toEqual([second, second, second, second]);
      await expect.poll(() => one!.docker('ps', '-q'), within).toBe('');
      await set('active', first);
      await lab().docker('service', 'scale', '--detach', 'spread=6');
      await expect.poll(placed, within).toEqual([first, first, second, second, second, second].toSorted());
      await lab().docker('service', 'rm', 'spread');
    });

    it('leave, are removed and join again', async () => {
      const [engine] = lab().engines;
      const id = await lab().nodeIdOf(engine!);
      const state = async (node: string): Promise<string> =>
        (await lab().docker('node', 'inspect', '-f', '{{.Status.State}}', node)).trim();
      await lab().create('both', ['--replicas', '2']);
      await expect.poll(async () => (await lab().running('both')).length, within).toBe(2);
      await expect(lab().docker('node', 'rm', id)).rejects.toThrow(/is not down and can't be removed/);
      await engine!.docker('swarm', 'leave');
      await expect.poll(() => state(id), within).toBe('down');
      await expect
        .poll(async () => (await lab().running('both')).filter(({ NodeID }) => NodeID !== id).length, within)
        .toBe(2);
      await lab().docker('node', 'rm', id);
      await lab().join(engine!);
      const again = await lab().nodeIdOf(engine!);
      expect(again).not.toBe(id);
      await expect.poll(() => state(again), within).toBe('ready');
      await lab().docker('service', 'scale', '--detach', 'both=4');
      await expect
        .poll(async () => (await lab().running('both')).filter(({ NodeID }) => NodeID === again).length, within)
        .toBeGreaterThan(0);
      await lab().docker('service', 'rm', 'both');
    });

    it('are removed by force while they are up, and join again as new nodes', async () => {
      const [engine] = lab().engines;
      const id = await lab().nodeIdOf(engine!);
      await lab().create('moving', ['--replicas', '2']);
      const elsewhere = async (): Promise<number> =>
        (await lab().running('moving')).filter(({ NodeID }) => NodeID !== id).length;
      await expect.poll(async () => (await lab().running('moving')).length, within).toBe(2);
      await lab().docker('node', 'rm', '--force', id);
      await expect(lab().docker('node', 'inspect', id)).rejects.toThrow(/not found/);
      await expect.poll(elsewhere, within).toBe(2);
      await engine!.docker('swarm', 'leave', '--force');
      await lab().join(engine!);
      expect(await lab().nodeIdOf(engine!)).not.toBe(id);
      await lab().docker('service', 'rm', 'moving');
    });

    it('are refused as managers, at once and with words that say why', async () => {
      const [engine] = lab().engines;
      const nodes = (): Promise<string> => lab().docker('node', 'ls', '-q');
      await engine!.docker('swarm', 'leave');
      const before = await nodes();
      await expect(lab().join(engine!, await lab().token('manager'))).rejects.toThrow(
        /cannot be a manager of this swarm/,
      );
      expect(await nodes()).toBe(before);
      await engine!.docker('swarm', 'leave', '--force').catch(() => undefined);
      await lab().join(engine!);
    });
  });
}

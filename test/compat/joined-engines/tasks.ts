/** Tasks on engines: health, logs, ports on the host. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { STAY, type EngineLab } from '../../support/engine-lab.ts';
import { within } from './within.ts';

export function describeTasks(lab: () => EngineLab): void {
  describe('run tasks', () => {
    it('that count as running when they are healthy, and are replaced when they are not any more', async () => {
      const health = [
        '--health-cmd',
        'test -e /healthy',
        '--health-interval',
        '500ms',
        '--health-retries',
        '2',
        '--health-start-period',
        '60s',
      ];
      await lab().create('frail', [...health, '--restart-delay', '0s'], 'trap "exit 3" TERM; sleep 100000 & wait');
      await expect.poll(async () => (await lab().tasks('frail'))[0]?.Status.State, within).toBe('starting');
      await expect.poll(() => lab().inside('frail', 'touch', '/healthy').catch(String), within).toBe('');
      await expect.poll(async () => (await lab().running('frail')).length, within).toBe(1);
      const [first] = await lab().running('frail');
      await lab().inside('frail', 'rm', '/healthy');
      await expect
        .poll(async () => (await lab().tasks('frail')).find(({ ID }) => ID === first?.ID)?.Status, within)
        .toMatchObject({ State: 'failed', Err: 'task: non-zero exit (3): dockerexec: unhealthy container' });
      await expect
        .poll(async () => (await lab().tasks('frail')).find(({ ID }) => ID !== first?.ID)?.Status.State, within)
        .toBe('starting');
      await lab().docker('service', 'rm', 'frail');
    });

    it('whose logs are followed and cut by time and number', async () => {
      await lab().create(
        'talk',
        ['--replicas', '2'],
        'for i in 1 2 3; do echo line $i; done; trap "exit 0" TERM; while :; do [ -e /more ] && rm /more && echo more; sleep 0.2; done',
      );
      await expect.poll(async () => (await lab().running('talk')).length, within).toBe(2);
      const logs = async (...flags: readonly string[]): Promise<readonly string[]> =>
        (await lab().docker('service', 'logs', '--raw', ...flags, 'talk'))
          .split('\n')
          .filter((line) => line !== '')
          .toSorted();
      await expect.poll(() => logs(), within).toEqual(['line 1', 'line 1', 'line 2', 'line 2', 'line 3', 'line 3']);
      expect(await logs('--tail', '1')).toEqual(['line 3', 'line 3']);
      expect(await logs('--tail', '0')).toEqual([]);
      const [time = ''] = (await logs('--timestamps'))[0]?.split(' ') ?? [];
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
      const now = new Date().toISOString();
      expect(await logs('--since', now)).toEqual([]);

      const manager = lab().manager;
      const following = spawn('docker', ['service', 'logs', '--follow', '--since', now, 'talk'], {
        env: { ...process.env, DOCKER_HOST: manager.host },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let heard = '';
      following.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      try {
        for (const { engine, id } of await lab().containers('talk')) await engine.docker('exec', id, 'touch', '/more');
        await expect
          .poll(() => heard.split('\n').filter((line) => /^talk\.[12]\.\w+@\S+\s+\| more$/.test(line)).length, within)
          .toBe(2);
      } finally {
        following.kill();
      }
      await lab().docker('service', 'rm', 'talk');
    });

    it('with ports of their hosts', async () => {
      const serve = 'hostname > /index.html; exec httpd -f -p 80 -h /';
      await lab().create('web', ['--mode', 'global', '--publish', 'mode=host,published=8080,target=80'], serve);
      await lab().create('any', ['--publish', 'mode=host,target=80'], serve);
      await expect.poll(async () => (await lab().running('web')).length, within).toBe(2);
      for (const engine of lab().engines) {
        const url = `http://${lab().addressOf(engine)}:8080/`;
        await expect
          .poll(() => lab().fromOutside('busybox', 'wget', '-q', '-O', '-', url).catch(String), within)
          .toMatch(/^[0-9a-f]{12}$/);
      }
      await expect.poll(async () => (await lab().running('any')).length, within).toBe(1);
      const shown = await lab().docker('service', 'ps', '--format', '{{.Ports}}', 'any');
      expect(shown).toMatch(/^\*:(\d+)->80\/tcp,?/);
      const [task] = await lab().running('any');
      const holder = (await lab().containers('any'))[0]!.engine;
      expect(await lab().nodeIdOf(holder)).toBe(task?.NodeID);
      const port = /^\*:(\d+)/.exec(shown)?.[1] ?? '';
      expect(
        await lab().fromOutside('busybox', 'wget', '-q', '-O', '-', `http://${lab().addressOf(holder)}:${port}/`),
      ).toMatch(/^[0-9a-f]{12}$/);
      await lab().create('late', ['--publish', 'mode=host,published=8080,target=80'], STAY);
      await expect
        .poll(async () => (await lab().tasks('late'))[0]?.Status.Err, within)
        .toMatch(/host-mode port already in use on 2 nodes/);
      await lab().docker('service', 'rm', 'web', 'any');
      await expect.poll(async () => (await lab().running('late')).length, within).toBe(1);
      await lab().docker('service', 'rm', 'late');
    });
  });
}

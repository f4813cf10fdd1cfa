/** Rolling updates of services whose tasks run on engines. */
import { describe, expect, it } from 'vitest';
import type { EngineLab } from '../../support/engine-lab.ts';
import { within } from './within.ts';

export function describeUpdates(lab: () => EngineLab): void {
  const updateState = (name: string): Promise<string> =>
    lab().docker('service', 'inspect', '-f', '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}', name);

  describe('follow rolling updates', () => {
    it.each([
      ['start-first', 'runs before the old one ends'],
      ['stop-first', 'runs after the old one ended'],
    ])('%s: the new container %s', async (order) => {
      await lab().create(order, ['--update-order', order, '--update-monitor', '300ms']);
      await expect.poll(async () => (await lab().running(order)).length, within).toBe(1);
      await lab().update(order, '--env-add', 'A=1');
      await expect.poll(() => updateState(order), within).toBe('completed');
      const ended = async () => (await lab().containers(order)).filter(({ isRunning }) => !isRunning);
      await expect.poll(async () => (await ended()).length, within).toBe(1);
      const [old, young] = await lab().containers(order);
      expect(young?.isRunning).toBe(true);
      const isOverlapping = (young?.startedAt ?? '') < (old?.finishedAt ?? '');
      expect(isOverlapping).toBe(order === 'start-first');
      await lab().docker('service', 'rm', order);
    });

    it('with new secrets, configs and templates', async () => {
      const make = (kind: 'secret' | 'config', Name: string, text: string, isTemplate = false): Promise<unknown> =>
        lab().manager.ask('POST', `/${kind}s/create`, {
          Name,
          Data: Buffer.from(text).toString('base64'),
          ...(isTemplate && { Templating: { Name: 'golang' } }),
        });
      await make('secret', 'password-1', 'old');
      await make('secret', 'password-2', 'new');
      await make('config', 'plain', 'plain');
      await make('config', 'filled', 'slot {{.Task.Slot}} of {{.Service.Name}}, {{secret "password"}}', true);
      const given = [
        '--secret',
        'source=password-1,target=password,mode=0400',
        '--config',
        'source=plain,target=/etc/settings',
      ];
      await lab().create('keeper', ['--replicas', '2', '--update-monitor', '300ms', ...given]);
      await expect.poll(async () => (await lab().running('keeper')).length, within).toBe(2);
      const read = (): Promise<string> =>
        lab().inside(
          'keeper',
          'sh',
          '-c',
          'cat /run/secrets/password /etc/settings; stat -c " %a" /run/secrets/password',
        );
      expect(await read()).toBe('oldplain 400');
      await lab().update(
        'keeper',
        '--secret-rm',
        'password-1',
        '--secret-add',
        'source=password-2,target=password',
        '--config-rm',
        'plain',
        '--config-add',
        'source=filled,target=/etc/settings',
      );
      await expect.poll(() => updateState('keeper'), within).toBe('completed');
      expect(await read()).toMatch(/^newslot [12] of keeper, new 444$/);
      await lab().docker('service', 'rm', 'keeper');
      await lab().docker('secret', 'rm', 'password-1', 'password-2');
      await lab().docker('config', 'rm', 'plain', 'filled');
    });
  });
}

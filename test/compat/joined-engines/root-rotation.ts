/** A new root certificate while engines are joined: they renew theirs, and from then on offer no ALPN. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DockerEngine } from '../../support/docker-engine.ts';
import type { EngineLab } from '../../support/engine-lab.ts';
import { within } from './within.ts';

/** One task on each engine. */
const WORKERS = ['--mode', 'global', '--constraint', 'node.role==worker'];

export function describeRootRotation(lab: () => EngineLab): void {
  const fileOf = (engine: DockerEngine, name: string): Promise<Buffer> =>
    readFile(path.join(engine.directory, 'data', 'swarm', 'certificates', name));
  const certificateOf = async (engine: DockerEngine): Promise<X509Certificate> =>
    new X509Certificate(await fileOf(engine, 'swarm-node.crt'));
  const snapshot = async (): Promise<readonly string[]> =>
    (await lab().containers('rooted')).map(({ id, startedAt }) => `${id} ${startedAt}`);

  describe('take part in the rotation of the root', () => {
    it('with new certificates, and go on with their tasks', async () => {
      await lab().create('rooted', WORKERS);
      await expect.poll(async () => (await lab().running('rooted')).length, within).toBe(2);
      const containers = await snapshot();
      const before = await Promise.all(lab().engines.map(certificateOf));
      const ids = await Promise.all(lab().engines.map((engine) => lab().nodeIdOf(engine)));
      const root = async (): Promise<string> => (await lab().docker('swarm', 'ca')).trim();
      const oldRoot = await root();
      await lab().docker('swarm', 'ca', '--rotate', '--detach', '--quiet');
      for (const [i, engine] of lab().engines.entries()) {
        await expect
          .poll(async () => (await certificateOf(engine)).serialNumber, within)
          .not.toBe(before[i]?.serialNumber);
      }
      await expect.poll(root, within).not.toBe(oldRoot);
      for (const engine of lab().engines) {
        await expect
          .poll(async () => (await fileOf(engine, 'swarm-root-ca.crt')).toString().trim() === (await root()), within)
          .toBe(true);
        const certificate = await certificateOf(engine);
        expect(certificate.subject).toMatch(/OU=swarm-worker/);
        expect(certificate.verify(new X509Certificate(await root()).publicKey)).toBe(true);
      }
      expect(await Promise.all(lab().engines.map((engine) => lab().nodeIdOf(engine)))).toEqual(ids);
      // With its renewed certificate an engine opens its session anew, without ALPN; only through it can it be told anything.
      await lab().create('fresh', WORKERS);
      await expect.poll(async () => (await lab().running('fresh')).length, within).toBe(2);
      expect(await lab().docker('service', 'logs', 'fresh')).toBe('');
      expect(await snapshot()).toEqual(containers);
      await lab().docker('service', 'rm', 'rooted', 'fresh');
    });

    it('and are joined with a token of the new root', async () => {
      const [, engine] = lab().engines;
      await engine!.docker('swarm', 'leave');
      await lab().join(engine!);
      await expect.poll(async () => (await lab().node(engine!)).Status.State, within).toBe('ready');
    });
  });
}
